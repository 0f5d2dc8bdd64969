"""Draws a street with moderngl over EGL: no window, no GPU needed (Mesa's llvmpipe)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tools.street import shaders
from tools.street.bodies import Body, Look, coarse_triangles
from tools.street.camera import Camera
from tools.street.geometry import Array, Mesh

SHADOW_PX = 2048
FULL, FAR = 0, 7  # of a body's vertex arrays
FINE_PX_M = 85  # a body drawn smaller than this many pixels a metre needs few triangles


@dataclass(frozen=True, kw_only=True)
class Light:
    """Linear colours. ``sun`` points to the sun."""

    sun: tuple[float, float, float] = (0.4, -0.5, 0.75)
    sun_color: tuple[float, float, float] = (2.6, 2.4, 2.1)
    sky: tuple[float, float, float] = (0.62, 0.72, 0.90)
    bounce: tuple[float, float, float] = (0.22, 0.20, 0.18)
    haze: float = 0.003
    haze_color: tuple[float, float, float] = (0.62, 0.68, 0.75)
    exposure: float = 0.75
    lamps: tuple[tuple[float, float, float, float], ...] = ()
    lamp_color: tuple[float, float, float] = (1.0, 0.82, 0.55)
    wet: float = 0.0  # 0 dry .. 1 rain on every floor
    lights_on: float = 0.0  # shop windows, head and tail lamps: 0 day .. 1 night


@dataclass
class Thing:
    """A rigid mesh somewhere; ``tag`` names it in the id picture (1..255, 0 = the still street)."""

    mesh: Mesh
    world: Array
    tag: int = 0
    closed: bool = False  # has no inside to be seen


@dataclass
class Person:
    """A skinned body; ``points`` and ``normals`` are in the frame of ``world``."""

    body: Body
    points: Array
    normals: Array
    world: Array
    tag: int = 0


@dataclass
class Frame:
    things: list[Thing] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    blobs: list[tuple[float, float, float, float]] = field(default_factory=list)


class Renderer:
    """Holds a context and the still street; ``draw`` returns sRGB pictures (h, w, 3) uint8 RGB."""

    def __init__(self, width: int, height: int, samples: int = 4) -> None:
        import moderngl

        self.gl = moderngl
        self.ctx = ctx = moderngl.create_context(standalone=True, backend="egl")
        self.size = (width, height)
        self.thing = ctx.program(shaders.THING_VERTEX, shaders.THING_FRAGMENT)
        self.person = ctx.program(shaders.PERSON_VERTEX, shaders.PERSON_FRAGMENT)
        self.depth = ctx.program(shaders.DEPTH_VERTEX, shaders.DEPTH_FRAGMENT)
        self.ids = ctx.program(shaders.DEPTH_VERTEX, shaders.ID_FRAGMENT)
        self.sky = ctx.program(shaders.SKY_VERTEX, shaders.SKY_FRAGMENT)
        self.screen = ctx.framebuffer(
            [ctx.renderbuffer(self.size, 4, samples=samples)], ctx.depth_renderbuffer(self.size, samples=samples)
        )
        self.base = ctx.framebuffer(
            [ctx.renderbuffer(self.size, 4, samples=samples)], ctx.depth_renderbuffer(self.size, samples=samples)
        )
        self.resolved = ctx.framebuffer([ctx.renderbuffer(self.size, 4)])
        self.id_target = ctx.framebuffer([ctx.renderbuffer(self.size, 4)], ctx.depth_renderbuffer(self.size))
        self.id_base = ctx.framebuffer([ctx.renderbuffer(self.size, 4)], ctx.depth_renderbuffer(self.size))
        self._ids_of: tuple | None = None
        self.shadow_static, self.shadow_moving = (ctx.depth_texture((SHADOW_PX, SHADOW_PX)) for _ in range(2))
        for t in (self.shadow_static, self.shadow_moving):
            t.compare_func = ""
            t.repeat_x = t.repeat_y = False
            t.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self.shadow_fbo = [ctx.framebuffer(depth_attachment=t) for t in (self.shadow_static, self.shadow_moving)]
        quad = ctx.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], "f4").tobytes())
        self.sky_vao = ctx.vertex_array(self.sky, [(quad, "2f", "in_pos")])
        self._meshes: dict[int, tuple] = {}
        self._bodies: dict[int, tuple] = {}
        self._textures: list = []
        self.static: list[Thing] = []
        self.floors: list[Thing] = []
        self.kept = Frame()
        self._shadow_of: tuple | None = None

    def set_street(
        self,
        static: Sequence[Thing],
        ground: Array,
        area: tuple[float, float, float, float],
        facades: Array,
        grain: Array,
    ) -> None:
        """``ground`` (h, w, 3) over ``area`` (x, y, width, height; m); ``facades`` (k, h, w, 4), alpha 1 - gloss."""
        self.forget()
        ctx, gl = self.ctx, self.gl
        self.static = list(static)
        self.floors = [Thing(_floor_of(thing.mesh), thing.world) for thing in static]
        g = ctx.texture((ground.shape[1], ground.shape[0]), 3, np.ascontiguousarray(ground).tobytes(), alignment=1)
        f = ctx.texture_array(
            (facades.shape[2], facades.shape[1], facades.shape[0]), 4, np.ascontiguousarray(facades).tobytes()
        )
        n = ctx.texture((grain.shape[1], grain.shape[0]), 1, np.ascontiguousarray(grain).tobytes(), alignment=1)
        for t in (g, f, n):
            t.build_mipmaps()
            t.filter = (gl.LINEAR_MIPMAP_LINEAR, gl.LINEAR)
        g.repeat_x = g.repeat_y = False
        self._textures = [g, f, n]
        self._area = area
        self.kept = Frame()
        self._shadow_of = self._ids_of = None

    def forget(self) -> None:
        """Free what the last street held."""
        for vaos in (*self._meshes.values(), *self._bodies.values()):
            for item in vaos:
                if hasattr(item, "release"):
                    item.release()
        for t in self._textures:
            t.release()
        self._meshes, self._bodies, self._textures = {}, {}, []

    def _mesh(self, mesh: Mesh) -> tuple:
        key = id(mesh)
        if key not in self._meshes:
            ctx = self.ctx
            data = np.concatenate([mesh.positions, mesh.normals, mesh.colors, mesh.material], 1).astype("f4")
            vbo, ibo = ctx.buffer(data.tobytes()), ctx.buffer(mesh.triangles.astype("i4").tobytes())
            full = ctx.vertex_array(
                self.thing, [(vbo, "3f 3f 3f 4f", "in_pos", "in_normal", "in_color", "in_material")], ibo
            )
            depth, ids = (ctx.vertex_array(p, [(vbo, "3f 40x", "in_pos")], ibo) for p in (self.depth, self.ids))
            self._meshes[key] = (full, depth, ids, vbo, ibo, _Held(mesh))
        return self._meshes[key]

    def _body(self, body: Body) -> tuple:
        key = id(body)
        if key not in self._bodies:
            ctx = self.ctx
            rest = np.concatenate([body.region, body.head, body.rest], 1).astype("f4")
            move = ctx.buffer(reserve=len(rest) * 24, dynamic=True)
            still, ibo = ctx.buffer(rest.tobytes()), ctx.buffer(body.triangles.astype("i4").tobytes())
            full = ctx.vertex_array(
                self.person,
                [(move, "3f 3f", "in_pos", "in_normal"), (still, "4f 3f 3f", "in_region", "in_head", "in_rest")],
                ibo,
            )
            rough = ctx.buffer(coarse_triangles().astype("i4").tobytes())
            far = ctx.vertex_array(
                self.person,
                [(move, "3f 3f", "in_pos", "in_normal"), (still, "4f 3f 3f", "in_region", "in_head", "in_rest")],
                rough,
            )
            depth = ctx.vertex_array(self.depth, [(move, "3f 12x", "in_pos")], rough)
            ids = ctx.vertex_array(self.ids, [(move, "3f 12x", "in_pos")], ibo)
            self._bodies[key] = (full, depth, ids, move, still, ibo, _Held(body), far, rough)
        return self._bodies[key]

    def _sun_matrix(self, light: Light, center: tuple[float, float], reach: float) -> Array:
        z = np.asarray(light.sun, float) / np.linalg.norm(light.sun)
        x = np.cross([0, 0, 1.0], z)
        x /= np.linalg.norm(x)
        y = np.cross(z, x)
        m = np.eye(4)
        m[:3, :3] = [x / reach, y / reach, -z / 60.0]
        m[:3, 3] = -m[:3, :3] @ np.array([*center, 0.0])
        return m

    def _set(self, program, name: str, value: Array | float | tuple) -> None:
        if name in program:
            item = program[name]
            if isinstance(value, np.ndarray) and value.shape == (4, 4):
                item.write(value.T.astype("f4").tobytes())
            else:
                item.value = value

    def keep(self, frame: Frame) -> None:
        """Remember the picture just drawn, of ``frame``, as the base on which ``draw(..., rects=...)`` draws changes.

        What it shows must come first, in the same order, in every frame drawn over it.
        """
        self.ctx.copy_framebuffer(self.base, self.screen)
        self.kept = frame
        self._shadow_of = self._ids_of = None

    def draw(
        self,
        frame: Frame,
        camera: Camera,
        light: Light,
        shadow_center: tuple[float, float] | None = None,
        reach: float = 26.0,
        rects: Sequence[tuple[int, int, int, int]] | None = None,
    ) -> Array:
        """Draw the frame; with ``rects`` (x0, y0, x1, y1 px) only inside these, over the kept picture."""
        ctx = self.ctx
        if rects is not None:
            frame = self._beyond_kept(frame)
        for p in frame.people:
            move = self._body(p.body)[3]
            move.write(np.concatenate([p.points, p.normals], 1).astype("f4").tobytes())
        if shadow_center is None:
            shadow_center = (camera.target[0], camera.target[1])
        sun = self._sun_matrix(light, shadow_center, reach)
        ctx.enable(self.gl.DEPTH_TEST)
        key = (light.sun, shadow_center, reach, id(self.static))
        if self._shadow_of != key:
            self._depth_pass(0, sun, [*self.static, *self.kept.things], self.kept.people)
            self._shadow_of = key
        self._depth_pass(1, sun, frame.things, frame.people)

        view = camera.matrix()
        if rects is not None:
            ctx.copy_framebuffer(self.screen, self.base)
        self.screen.use()
        tone = np.clip(np.array(light.haze_color) * light.exposure, 0, 1) ** (1 / 2.2)
        self._set(self.sky, "low", tuple(np.clip(tone * 1.05, 0, 1)))
        self._set(self.sky, "high", tuple(np.clip(tone * [0.85, 0.95, 1.08], 0, 1)))
        self.shadow_static.use(0)
        self.shadow_moving.use(1)
        g, f, n = self._textures
        g.use(2)
        f.use(3)
        n.use(4)
        blobs = (frame.blobs + [(0.0, 0.0, 1.0, 0.0)] * 48)[:48]
        lamps = (list(light.lamps) + [(0.0, 0.0, 0.0, 0.0)] * 8)[:8]
        direction = np.asarray(light.sun) / np.linalg.norm(light.sun)
        for program in (self.thing, self.person):
            for name, value in {
                "view": view, "sun_dir": tuple(direction), "sun_color": light.sun_color, "sky_color": light.sky,
                "bounce_color": light.bounce, "eye": tuple(camera.position), "haze": light.haze,
                "haze_color": light.haze_color, "exposure": light.exposure, "shadow_matrix": sun, "shadow_static": 0,
                "shadow_moving": 1, "ground": 2, "facades": 3, "grain": 4, "ground_area": self._area, "blobs": blobs,
                "blob_count": min(len(frame.blobs), 48), "lamps": lamps, "lamp_count": len(light.lamps),
                "lamp_color": light.lamp_color, "wet": light.wet, "lights_on": light.lights_on,
            }.items():  # fmt: skip
                self._set(program, name, value)
        ctx.depth_func = "<="
        still = self.static
        if rects is None:
            self.screen.clear(0, 0, 0, 1)
            ctx.disable(self.gl.DEPTH_TEST)
            self.sky_vao.render(self.gl.TRIANGLE_STRIP)
            ctx.enable(self.gl.DEPTH_TEST)
        else:
            still = self.floors  # over the kept picture and its depths: drawn again only where a new shadow falls
        self._set(self.thing, "only_changed", int(rects is not None))
        for rect in [None] if rects is None else rects:
            if rect is not None:
                self.screen.scissor = (rect[0], self.size[1] - rect[3], rect[2] - rect[0], rect[3] - rect[1])
            for thing in still:
                self._set(self.thing, "world", thing.world)
                self._mesh(thing.mesh)[0].render()
        self.screen.scissor = None
        self._set(self.thing, "only_changed", 0)
        ctx.enable(self.gl.CULL_FACE)  # bodies are closed
        for p in frame.people:
            self._set(self.person, "world", p.world)
            self._dress(p.body.look)
            _, away = camera.project((p.world @ [0.0, 0.0, 1.0, 1.0])[None, :3])
            self._body(p.body)[FAR if camera.focal_px < FINE_PX_M * away[0] else FULL].render()
        ctx.disable(self.gl.CULL_FACE)
        for thing in frame.things:
            (ctx.enable if thing.closed else ctx.disable)(self.gl.CULL_FACE)
            self._set(self.thing, "world", thing.world)
            self._mesh(thing.mesh)[0].render()
        ctx.disable(self.gl.CULL_FACE)
        ctx.copy_framebuffer(self.resolved, self.screen)
        raw = np.frombuffer(self.resolved.read(components=3, alignment=1), np.uint8)
        return raw.reshape(self.size[1], self.size[0], 3)[::-1]

    def _beyond_kept(self, frame: Frame) -> Frame:
        return Frame(frame.things[len(self.kept.things) :], frame.people[len(self.kept.people) :], frame.blobs)

    def _dress(self, look: Look) -> None:
        for name in ("skin", "hair", "top", "top2", "bottom", "shoes"):
            self._set(self.person, name, tuple(getattr(look, name)))
        self._set(self.person, "mask", (*look.mask, 1.0) if look.mask else (0.0, 0.0, 0.0, 0.0))
        for name in ("sleeve", "trousers_end", "hem"):
            self._set(self.person, name, getattr(look, name))
        self._set(self.person, "pattern", look.pattern)
        self._set(self.person, "bald", float(look.bald))
        self._set(self.person, "gloves", float(look.gloves))

    def _depth_pass(self, which: int, sun: Array, things: Sequence[Thing], people: Sequence[Person]) -> None:
        fbo = self.shadow_fbo[which]
        fbo.use()
        fbo.clear(depth=1.0)
        self._set(self.depth, "view", sun)
        for thing in things:
            self._set(self.depth, "world", thing.world)
            self._mesh(thing.mesh)[1].render()
        for p in people:
            self._set(self.depth, "world", p.world)
            self._body(p.body)[1].render()

    def draw_ids(self, frame: Frame, camera: Camera) -> Array:
        """Who is seen where: (h, w) uint8 of tags. Call after ``draw`` of the same frame."""
        self._set(self.ids, "view", camera.matrix())
        self.ctx.enable(self.gl.DEPTH_TEST)
        self.ctx.depth_func = "<="
        view = (camera, id(self.static))
        if self._ids_of != view:  # the still street hides the same things in every frame of one camera
            self.id_base.use()
            self.id_base.clear(0, 0, 0, 0)
            self._tagged([Thing(t.mesh, t.world) for t in self.static], [])
            self._tagged(self.kept.things, self.kept.people)
            self._ids_of = view
        self.ctx.copy_framebuffer(self.id_target, self.id_base)
        self.id_target.use()
        moving = self._beyond_kept(frame)
        self._tagged(moving.things, moving.people)
        raw = np.frombuffer(self.id_target.read(components=3, alignment=1), np.uint8)
        return raw.reshape(self.size[1], self.size[0], 3)[::-1, :, 0]

    def _tagged(self, things: Sequence[Thing], people: Sequence[Person]) -> None:
        for thing in things:
            self._set(self.ids, "world", thing.world)
            self._set(self.ids, "tag", thing.tag / 255)
            self._mesh(thing.mesh)[2].render()
        for p in people:
            self._set(self.ids, "world", p.world)
            self._set(self.ids, "tag", p.tag / 255)
            self._body(p.body)[2].render()


def _floor_of(shape: Mesh) -> Mesh:
    """The triangles that carry the ground's texture."""
    return replace(shape, triangles=shape.triangles[shape.material[shape.triangles[:, 0], 2] < -1.5])


@dataclass(frozen=True)
class _Held:
    """Keeps an object alive while its id() is a key."""

    item: object
