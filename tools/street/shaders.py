"""GLSL of the street: one light (sun with shadow, sky, contact shade), two kinds of surface, one id pass."""

LIGHT = """
uniform vec3 sun_dir; uniform vec3 sun_color; uniform vec3 sky_color; uniform vec3 bounce_color; uniform vec3 eye;
uniform vec3 haze_color; uniform float haze; uniform float exposure;
uniform mat4 shadow_matrix; uniform sampler2D shadow_static; uniform sampler2D shadow_moving;
uniform vec4 blobs[48]; uniform int blob_count;
uniform vec4 lamps[8]; uniform int lamp_count; uniform vec3 lamp_color; uniform float wet; uniform float lights_on;
float lit_at(vec3 p, vec3 n) {
  vec4 q = shadow_matrix * vec4(p + n * 0.03, 1.0);
  vec3 c = q.xyz / q.w * 0.5 + 0.5;
  if (c.x < 0.0 || c.y < 0.0 || c.x > 1.0 || c.y > 1.0) return 1.0;
  float total = 0.0; float d = c.z - 0.0012;
  const vec2 taps[5] = vec2[5](vec2(0, 0), vec2(0.6, 0.25), vec2(-0.25, 0.6), vec2(-0.6, -0.25), vec2(0.25, -0.6));
  for (int i = 0; i < 5; i++) {
    vec2 uv = c.xy + taps[i] * 0.00065;
    total += (texture(shadow_static, uv).r < d || texture(shadow_moving, uv).r < d) ? 0.0 : 1.0;
  }
  return total / 5.0;
}
bool changed_at(vec3 p, vec3 n) {
  for (int i = 0; i < blob_count; i++) {
    vec2 d = p.xy - blobs[i].xy;
    if (dot(d, d) < blobs[i].z * blobs[i].z) return true;
  }
  vec4 q = shadow_matrix * vec4(p + n * 0.03, 1.0);
  vec3 c = q.xyz / q.w * 0.5 + 0.5; float d = c.z - 0.0012;
  const vec2 taps[5] = vec2[5](vec2(0, 0), vec2(0.6, 0.25), vec2(-0.25, 0.6), vec2(-0.6, -0.25), vec2(0.25, -0.6));
  for (int i = 0; i < 5; i++) if (texture(shadow_moving, c.xy + taps[i] * 0.00065).r < d) return true;
  return false;
}
vec3 shade(vec3 albedo, vec3 p, vec3 n, float gloss) {
  float sun = max(dot(n, sun_dir), 0.0);
  if (sun > 0.0) sun *= lit_at(p, n);
  float up = n.z * 0.5 + 0.5;
  float open = 1.0;
  if (p.z < 0.6) for (int i = 0; i < blob_count; i++) {
    vec2 d = p.xy - blobs[i].xy; float r = blobs[i].z;
    float reach = max(0.0, 1.0 - dot(d, d) / (r * r));
    open *= 1.0 - blobs[i].w * reach * reach * (1.0 - p.z / 0.6);
  }
  vec3 light = sun_color * sun + (sky_color * mix(0.35, 1.0, up) + bounce_color * (1.0 - up)) * open;
  vec3 view = normalize(eye - p);
  vec3 glints = vec3(0.0);
  for (int i = 0; i < lamp_count; i++) {
    vec3 d = lamps[i].xyz - p; float l2 = dot(d, d); d *= inversesqrt(l2);
    vec3 reach = lamp_color * lamps[i].w / (1.0 + l2) * open;
    light += reach * max(dot(n, d), 0.0) * mix(0.25, 1.0, smoothstep(-0.1, 0.45, d.z));
    glints += reach * gloss * pow(max(dot(n, normalize(view + d)), 0.0), 20.0 + 90.0 * gloss) * 5.0;
  }
  vec3 h = normalize(view + sun_dir);
  float rim = pow(1.0 - max(dot(view, n), 0.0), 5.0);
  vec3 c = albedo * light + glints;
  c += gloss * sun * sun_color * pow(max(dot(n, h), 0.0), 10.0 + 90.0 * gloss) * 0.7;
  vec3 mirrored = reflect(-view, n);
  c += gloss * (0.04 + 0.5 * rim) * mix(bounce_color * 0.6, sky_color * 1.2, smoothstep(-0.2, 0.5, mirrored.z)) * open;
  float far = 1.0 - exp(-length(eye - p) * haze);
  c = mix(c, haze_color, far) * exposure;
  c = (c * (2.51 * c + 0.03)) / (c * (2.43 * c + 0.59) + 0.14);
  return pow(clamp(c, 0.0, 1.0), vec3(1.0 / 2.2));
}
"""

THING_VERTEX = """#version 330
uniform mat4 world; uniform mat4 view;
in vec3 in_pos; in vec3 in_normal; in vec3 in_color; in vec4 in_material;
out vec3 v_pos; out vec3 v_normal; out vec3 v_color; out vec4 v_material;
void main() {
  vec4 p = world * vec4(in_pos, 1.0);
  v_pos = p.xyz; v_normal = mat3(world) * in_normal; v_color = in_color; v_material = in_material;
  gl_Position = view * p;
}
"""

THING_FRAGMENT = (
    "#version 330\n"
    + LIGHT
    + """
uniform int only_changed;
uniform sampler2DArray facades; uniform sampler2D ground; uniform sampler2D grain; uniform vec4 ground_area;
in vec3 v_pos; in vec3 v_normal; in vec3 v_color; in vec4 v_material;
out vec4 f_color;
void main() {
  vec3 n = normalize(v_normal);
  if (!gl_FrontFacing) n = -n;
  if (only_changed > 0 && !changed_at(v_pos, n)) discard;
  vec3 c = pow(v_color, vec3(2.2)); float gloss = v_material.w; vec3 glow = vec3(0.0);
  if (v_material.z > -0.5) {
    vec4 t = texture(facades, vec3(v_material.xy, floor(v_material.z + 0.5)), -0.5);
    c *= pow(t.rgb, vec3(2.2)); gloss = 1.0 - t.a;
    if (gloss > 0.5 && lights_on > 0.0) {
      vec2 pane = floor(v_material.xy * vec2(6.0, 4.0));
      float lit = fract(sin(dot(pane, vec2(12.99, 78.23)) + v_material.z * 3.7) * 43758.5);
      bool shop = v_material.z < 7.5;
      glow = lights_on * (shop ? 2.2 * c + 0.02 : (lit > 0.72 ? vec3(0.30, 0.22, 0.12) : vec3(0.0)));
    }
  } else if (v_material.z < -1.5) {
    vec2 uv = (v_pos.xy - ground_area.xy) / ground_area.zw;
    c *= pow(texture(ground, uv, -0.6).rgb, vec3(2.2));
    c *= 0.72 + 0.56 * texture(grain, v_pos.xy * 0.9).r;
    if (wet > 0.0) {
      float pool = smoothstep(0.42, 0.60, texture(grain, v_pos.xy * 0.06).r) * wet;
      c *= mix(1.0, 0.52, wet);
      gloss = mix(0.05, 0.30 + 0.55 * pool, wet);
      n = normalize(n + 0.05 * (1.0 - pool) * vec3(texture(grain, v_pos.xy * 3.1).rr - 0.5, 0.0));
    }
  }
  if (gloss > 2.0) { glow = c * 9.0 * lights_on; gloss = 0.8; }
  vec3 shown = shade(c, v_pos, n, gloss);
  if (dot(glow, vec3(1.0)) > 0.0) {
    glow *= exposure;
    shown += pow(clamp(glow / (1.0 + glow), 0.0, 1.0), vec3(1.0 / 2.2)) * (1.0 - shown);
  }
  f_color = vec4(shown, 1.0);
}
"""
)

PERSON_VERTEX = """#version 330
uniform mat4 world; uniform mat4 view;
in vec3 in_pos; in vec3 in_normal; in vec4 in_region; in vec3 in_head; in vec3 in_rest;
out vec3 v_pos; out vec3 v_normal; out vec4 v_region; out vec3 v_head; out vec3 v_rest;
void main() {
  vec4 p = world * vec4(in_pos, 1.0);
  v_pos = p.xyz; v_normal = mat3(world) * in_normal; v_region = in_region; v_head = in_head; v_rest = in_rest;
  gl_Position = view * p;
}
"""

PERSON_FRAGMENT = (
    "#version 330\n"
    + LIGHT
    + """
uniform sampler2D grain;
uniform vec3 skin; uniform vec3 hair; uniform vec3 top; uniform vec3 top2; uniform vec3 bottom; uniform vec3 shoes;
uniform vec4 mask;
uniform float sleeve; uniform float trousers_end; uniform float hem; uniform int pattern;
uniform float bald; uniform float gloves;
in vec3 v_pos; in vec3 v_normal; in vec4 v_region; in vec3 v_head; in vec3 v_rest;
out vec4 f_color;
vec3 lin(vec3 c) { return pow(c, vec3(2.2)); }
float hairline(float x) {
  if (x < -0.35) return mix(-0.55, -0.45, clamp((x + 0.8) / 0.45, 0.0, 1.0));
  if (x < -0.1) return mix(-0.45, 0.02, (x + 0.35) / 0.25);
  if (x < 0.25) return mix(0.02, 0.10, (x + 0.1) / 0.35);
  if (x < 0.5) return mix(0.10, 0.42, (x - 0.25) / 0.25);
  return mix(0.42, 0.55, clamp((x - 0.5) / 0.4, 0.0, 1.0));
}
void main() {
  vec3 n = normalize(v_normal);
  float arm = v_region.x, z = v_region.y, leg = v_region.z;
  float wear = texture(grain, v_rest.xz * 1.3 + v_rest.y).r;
  float fold = texture(grain, vec2(v_rest.x + v_rest.y, v_rest.z * 0.45) * 0.55).r;
  vec3 c; float gloss = 0.02; float cloth = 0.0;
  if (v_region.w > 0.5 || z > 0.862) {
    vec3 h = v_head;
    c = lin(skin); gloss = 0.12;
    float edge = (wear - 0.5) * 0.16;
    if (bald < 0.5 && h.z + edge > hairline(h.x)) { c = lin(hair) * (0.55 + 0.9 * fold); gloss = 0.22; }
    else if (h.x > 0.35) {
      vec2 e = vec2((abs(h.y) - 0.30) / 0.15, (h.z - 0.05) / 0.075);
      if (dot(e, e) < 1.0) c = mix(vec3(0.5), lin(hair), 0.75) * 0.4;
      vec2 b = vec2((abs(h.y) - 0.31) / 0.21, (h.z - 0.24) / 0.05);
      if (dot(b, b) < 1.0) c = mix(c, lin(hair), 0.75);
      vec2 m = vec2(h.y / 0.24, (h.z + 0.53) / 0.065);
      if (dot(m, m) < 1.0) c *= vec3(0.75, 0.42, 0.42);
      if (abs(h.y) < 0.13 && h.z < -0.12 && h.z > -0.26) c *= 0.8;
      c *= 1.0 + 0.25 * (wear - 0.5);
    }
    if (mask.a > 0.5 && h.x > 0.15 && h.z < -0.02 - 0.25 * (0.9 - h.x) && h.z > -1.0) {
      c = lin(mask.rgb); gloss = 0.02;
    }
  } else if (arm >= 0.0) {
    if (arm > 0.97) { c = gloves > 0.5 ? vec3(0.02) : lin(skin); gloss = 0.1; }
    else if (arm > sleeve) { c = lin(skin); gloss = 0.1; }
    else { c = lin(top); cloth = 1.0; if (pattern == 4) cloth = 1.2; if (arm > sleeve - 0.03) c *= 0.8; }
  } else if (z < 0.04) {
    c = lin(shoes); gloss = 0.15; if (z < 0.012) c = vec3(0.6);
  } else if (leg < trousers_end) {
    c = lin(skin); gloss = 0.08; if (z < 0.075) c = vec3(0.75);
  } else if (z < hem) { c = lin(bottom); cloth = 1.0; }
  else {
    c = lin(top); cloth = 1.0;
    if (z > 0.825 && v_rest.x > 0.0) c = pattern == 4 ? lin(top2) : c;
    if (z > 0.835) c = lin(skin);
    if (pattern == 4 && v_rest.x > 0.02 && abs(v_rest.y) < 0.055 + 0.05 * (z - hem)) c = lin(top2);
    if (pattern == 3 && v_rest.x > 0.03 && abs(v_rest.y) < 0.10 && z > 0.68 && z < 0.76 && wear > 0.45) c = lin(top2);
  }
  if (cloth > 0.5 && z >= hem) {
    if (pattern == 1 && fract(v_rest.z * 11.0) < 0.4) c = lin(top2);
    if (pattern == 2) {
      float k = step(0.5, fract(v_rest.z * 9.0)) + step(0.5, fract((v_rest.y + v_rest.x) * 9.0));
      c = mix(c, lin(top2), 0.4 * k);
    }
  }
  if (cloth > 0.5) {
    vec3 jitter = vec3(fold, texture(grain, v_rest.yz * 0.8 + 0.3).r, texture(grain, v_rest.zx * 0.7).r) - 0.5;
    n = normalize(n + jitter * 1.1);
    c *= 0.72 + 0.56 * fold;
  }
  f_color = vec4(shade(c, v_pos, n, gloss), 1.0);
}
"""
)

DEPTH_VERTEX = """#version 330
uniform mat4 world; uniform mat4 view; in vec3 in_pos;
void main() { gl_Position = view * world * vec4(in_pos, 1.0); }
"""
DEPTH_FRAGMENT = "#version 330\nvoid main() {}\n"
ID_FRAGMENT = """#version 330
uniform float tag; out vec4 f_color;
void main() { f_color = vec4(tag, 0.0, 0.0, 1.0); }
"""

SKY_VERTEX = """#version 330
in vec2 in_pos; out vec2 v_pos;
void main() { v_pos = in_pos; gl_Position = vec4(in_pos, 0.9999, 1.0); }
"""
SKY_FRAGMENT = """#version 330
uniform vec3 low; uniform vec3 high; in vec2 v_pos; out vec4 f_color;
void main() { f_color = vec4(mix(low, high, clamp(v_pos.y * 0.7 + 0.2, 0.0, 1.0)), 1.0); }
"""
