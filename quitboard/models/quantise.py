"""Post-training quantisation: an ONNX model whose convolutions compute in 8-bit integers.

The ranges of activations are measured on real pictures; weights get one scale a channel (Jacob et al. 2018,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference"). The result is a plain
ONNX graph with QuantizeLinear/DequantizeLinear pairs: OpenVINO fuses them into integer kernels, ONNX Runtime runs them
as well. Made with ONNX Runtime's own tool: what nncf 3.4 makes of the same graph is right in ONNX Runtime, but OpenVINO
2026.4 gives boxes and scores for it that are none.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quitboard.detect import boxes
from quitboard.errors import ModelUnusable
from quitboard.records import FloatArray, Picture

FEWEST_PICTURES = 16
"""Fewer cannot tell the ranges of activations."""
_NEEDED = ("onnxruntime", "onnx")


def int8_bytes(
    model: Path, pictures: Sequence[Picture], *, imgsz: int, float_layers: Sequence[str] | None = None, stride: int = 32
) -> bytes:
    """Return an `.onnx` model quantised to 8 bits, with its class names kept. Same inputs, same bytes.

    Args:
        model: an `.onnx` made by `detect.model.onnx_bytes`.
        pictures: what the model will meet, BGR; 100 to 300 of them.
        imgsz: longest side of the network's input while ranges are measured, in px.
        float_layers: regular expressions of node names that stay in float; `decoding` when None.
        stride: of the model.

    Raises:
        ModelUnusable: onnxruntime or onnx is not installed, or there are too few pictures.
    """
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise ModelUnusable(
            f"quantising needs {' and '.join(missing)}", where=model.name, todo="Install quitboard[torch,onnx]"
        )
    if len(pictures) < FEWEST_PICTURES:
        raise ModelUnusable(
            f"{len(pictures)} pictures are too few to calibrate with", where=model.name, todo=f"Give {FEWEST_PICTURES}"
        )
    import onnx
    from onnxruntime import quantization

    graph = full_floats(onnx.load(model))
    name = graph.graph.input[0].name
    nodes = [node.name for node in graph.graph.node]
    patterns = decoding(nodes) if float_layers is None else float_layers
    kept = {entry.key: entry.value for entry in graph.metadata_props}
    blobs = ({name: _blob(picture, imgsz, stride)} for picture in pictures)
    logging.getLogger().addFilter(_no_advice)  # to pre-process a graph whose shapes are meant to be open
    with tempfile.TemporaryDirectory() as folder:
        source, target = (str(Path(folder) / part) for part in ("float.onnx", "int8.onnx"))
        onnx.save(graph, source)
        quantization.quantize_static(
            source,
            target,
            _Reader(blobs),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=[node for node in nodes if any(re.fullmatch(one, node) for one in patterns)],
            calibrate_method=quantization.CalibrationMethod.MinMax,
        )
        quantised = onnx.load(target)
    logging.getLogger().removeFilter(_no_advice)
    del quantised.metadata_props[:]
    onnx.helper.set_model_props(quantised, kept)
    onnx.checker.check_model(quantised)
    return bytes(quantised.SerializeToString(deterministic=True))


class _Reader:
    """What ONNX Runtime asks for its inputs; None is the end."""

    def __init__(self, blobs: Iterator[dict[str, FloatArray]]) -> None:
        self._blobs = blobs

    def get_next(self) -> dict[str, FloatArray] | None:
        return next(self._blobs, None)


def _no_advice(record: logging.LogRecord) -> bool:
    return "pre-processing before quantization" not in record.getMessage()


def decoding(nodes: Sequence[str]) -> list[str]:
    """Return what matches the end of a YOLO graph: where branches become boxes in px and scores from 0 to 1.

    Both lie in one tensor there; with one scale for both, scores would be rounded to nothing. The branches themselves,
    `cv2` and `cv3` of the last module, are convolutions and take integers well.
    """
    modules = [int(found[1]) for node in nodes if (found := re.match(r"/model\.(\d+)/", node))]
    return [rf"/model\.{max(modules)}/(?!cv\d).*"] if modules else []


def full_floats(model: Any) -> Any:
    """Return an ONNX model with weights that are stored as halves and cast in the graph stored as float32 instead."""
    import onnx
    from onnx import numpy_helper

    halves = {one.name: one for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT16}
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in halves:
            values = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
            halves[node.input[0]].CopyFrom(numpy_helper.from_array(values, node.output[0]))
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _blob(picture: Picture, imgsz: int, stride: int) -> FloatArray:
    height, width = picture.shape[:2]
    return boxes.letterbox(width, height, imgsz=imgsz, stride=stride).blob(picture)
