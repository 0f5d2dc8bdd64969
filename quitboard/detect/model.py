"""The detector: a model with its card, run by the fastest runtime present.

One of two doors to torch and ultralytics. All runtimes get the same input (`boxes.Letterbox.blob`) and share the
reading of the raw output (`boxes.decode`), so they differ by float rounding alone.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from quitboard import files
from quitboard.detect import boxes, company, headwear
from quitboard.detect.card import Card, JudgeCard, card_from_names, file_to_run, read_card
from quitboard.detect.company import CompanyJudge
from quitboard.detect.headwear import HeadJudge
from quitboard.detect.runtime import Network, Runtime, not_a_model, open_onnx
from quitboard.errors import ModelUnusable
from quitboard.records import ROLES, Detections, FloatArray, ModelCard, Picture, Role

_JUDGES = (headwear.FILE_NAME, company.FILE_NAME)
_Made = TypeVar("_Made", covariant=True)
_TORCH_TODO = "Install quitboard[torch], or give an .onnx export of the model"


class Detector:
    """Finds persons, scooters, heads and the rest in pictures. Made by `load`."""

    def __init__(
        self,
        network: Network,
        card: Card,
        *,
        sha256: str,
        imgsz: int,
        runtime: str,
        headwear: HeadJudge | None = None,
        company: CompanyJudge | None = None,
    ) -> None:
        self._network = network
        self._card = card
        self.imgsz = imgsz
        self.runtime = runtime
        self.headwear = headwear
        """Judges heads apart; None for a model that comes without, whose own classes then have the last word."""
        self.company = company
        """Judges whether riders are alone; None for a model that comes without: heads and persons are then counted."""
        judges = f"{card.headwear} {card.company}"
        self.sha256 = files.sha256_bytes(f"{sha256} {judges}".encode()) if headwear or company else sha256
        """Of everything that decides what is seen."""
        self.card = ModelCard(name=card.name, sha256=sha256, figures=card.figures)
        self._role_of_class = np.array([ROLES.index(role) if role else -1 for role in card.roles], np.int64)
        self._min_confidence = np.array(card.confidence, np.float32)
        self.thresholds: Mapping[Role, float] = {
            role: confidence for role, confidence in zip(card.roles, card.confidence, strict=True) if role
        }

    def detect(
        self, pictures: Iterable[Picture], *, min_confidence: float | None = None, imgsz: int | None = None
    ) -> Iterator[Detections]:
        """Yield the detections of each picture, lazily and in order; only a handful of pictures is held at a time.

        Args:
            pictures: BGR, of any size, also of different ones. Pictures of one size in a row are the fastest.
            min_confidence: one threshold for all classes; the card's own for each class when None.
            imgsz: longest side of the network's input, in px; the detector's own when None.

        Raises:
            ModelUnusable: the model's output is not that of a YOLO detection head with the card's classes.
        """
        thresholds = self._min_confidence
        if min_confidence is not None:
            thresholds = np.full_like(thresholds, min_confidence)
        plans: deque[boxes.Letterbox] = deque()

        def blobs() -> Iterator[FloatArray]:
            for picture in pictures:
                height, width = picture.shape[:2]
                plan = boxes.letterbox(
                    width, height, imgsz=imgsz or self.imgsz, stride=self._card.stride, canvas=self._network.canvas
                )
                plans.append(plan)
                yield plan.blob(picture)

        with contextlib.closing(_generator(self._network.infer(blobs()))) as outputs:
            for raw in outputs:
                if raw.ndim != 2 or raw.shape[0] != 4 + len(self._card.roles):
                    raise ModelUnusable(
                        f"the model's output {raw.shape} does not fit its {len(self._card.roles)} classes",
                        where=self._card.name,
                        todo="Export it as a detection model without NMS in the graph, with a card that lists "
                        "all its classes in order",
                    )
                yield boxes.decode(
                    raw,
                    plans.popleft(),
                    role_of_class=self._role_of_class,
                    min_confidence=thresholds,
                    iou=self._card.nms_iou,
                )


def load(
    model: Path | None = None, *, imgsz: int | None = None, runtime: Runtime = "auto", threads: int | None = None
) -> Detector:
    """Open a model: the shipped one, a folder with a card, or an `.onnx` or `.pt` file.

    What its classes mean is read from `card.toml` beside it, else from the class names that ultralytics writes into
    its exports, as far as they are ours or COCO's. A `.pt` file is a pickle: open only those whose maker you trust.

    Args:
        model: None for the shipped model.
        imgsz: longest side of the network's input, in px; the card's when None.
        runtime: "auto" takes torch where a GPU and a `.pt` are present, else OpenVINO, else ONNX Runtime.
        threads: inferences under way at once in OpenVINO; as many as there are processors when None. Has no
            influence on results.

    Raises:
        ModelUnusable: file missing, not a model, no known class, or a runtime that is not installed.
    """
    path = _weights_file(model or files.resource("data/models/default"), runtime)
    sha256 = files.sha256_file(path)
    if path.suffix == ".pt" and runtime in ("auto", "torch") and (runtime == "torch" or _gpu_present()):
        network: Network = _Torch(path)
        chosen = "torch"
    else:
        onnx = path if path.suffix == ".onnx" else exported(path, sha256)
        chosen, network = open_onnx(onnx, runtime, threads)
    card_file = path.with_name("card.toml")
    card = read_card(card_file, path.name, sha256) if card_file.is_file() else card_from_names(path.stem, network.names)
    return Detector(
        network,
        card,
        sha256=sha256,
        imgsz=imgsz or card.imgsz,
        runtime=chosen,
        headwear=_judge(path.with_name(headwear.FILE_NAME), card.headwear, runtime, HeadJudge, "heads"),
        company=_judge(path.with_name(company.FILE_NAME), card.company, runtime, CompanyJudge, "company"),
    )


class _Judge(Protocol[_Made]):
    def __call__(self, network: Network, *, temperature: float) -> _Made: ...


def _judge(path: Path, card: JudgeCard | None, runtime: Runtime, make: _Judge[_Made], what: str) -> _Made | None:
    if card is None:
        return None
    if not path.is_file() or files.sha256_file(path) != card.sha256:
        raise ModelUnusable(
            f"what judges {what} is missing or not what the card describes",
            where=path.name,
            todo="Copy the model again",
        )
    # One at a time, on one thread: a handful is judged between two frames, in a third of a millisecond to one each.
    _, network = open_onnx(path, "auto" if runtime == "torch" else runtime, threads=1)
    return make(network, temperature=card.temperature)


def _weights_file(model: Path, runtime: Runtime) -> Path:
    if model.is_dir():
        order = (".pt", ".onnx") if runtime == "torch" or (runtime == "auto" and _gpu_present()) else (".onnx", ".pt")
        named = file_to_run(model)
        for suffix in order:
            if named and suffix == ".onnx":
                return named
            if found := sorted(path for path in model.glob(f"*{suffix}") if path.name not in _JUDGES):
                return found[0]
        raise ModelUnusable("the folder holds no .onnx and no .pt", where=model.name, todo="Give a model's folder")
    if not model.is_file():
        raise ModelUnusable("there is no such model", where=str(model), todo="Give the path of an .onnx or .pt file")
    if model.suffix not in (".onnx", ".pt"):
        raise ModelUnusable(
            "a model is an .onnx or a .pt file", where=model.name, todo="Export it: yolo export format=onnx"
        )
    if model.suffix == ".onnx" and runtime == "torch":
        raise ModelUnusable("torch runs .pt files", where=model.name, todo="Use runtime openvino or onnx for it")
    return model


def _gpu_present() -> bool:
    # torch takes seconds to import; without NVIDIA's driver there is no need to ask it.
    if shutil.which("nvidia-smi") is None or importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def _generator(outputs: Iterator[FloatArray]) -> Any:
    """`infer` is a generator in every runtime; the protocol says only what callers need."""
    return outputs


class _Torch:
    canvas: tuple[int, int] | None = None

    def __init__(self, path: Path) -> None:
        torch, yolo = import_yolo(path)
        self._torch = torch
        self._device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        self.names = [str(yolo.names[number]) for number in sorted(yolo.names)]
        self._network = yolo.model.float().fuse(verbose=False).eval().to(self._device)

    def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
        for blob in blobs:
            with self._torch.inference_mode():
                output = self._network(self._torch.from_numpy(blob).to(self._device))
            raw = output[0] if isinstance(output, (tuple, list)) else output
            yield raw[0].cpu().numpy()


def exported(weights: Path, sha256: str) -> Path:
    """Return an `.onnx` export of a `.pt` file, made once and kept under the weights' hash in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quitboard" / "models"
    target = cache / f"{sha256}.onnx"
    if not target.is_file():
        files.write_bytes(target, onnx_bytes(weights))
    return target


def onnx_bytes(weights: Path) -> bytes:
    """Export a `.pt` model of ultralytics to ONNX, for any picture size, with weights stored as halves.

    Each half is cast back to float32 in the graph, so every runtime computes in float32 and the file has half the
    size. Nothing but class names and stride is kept of the metadata: the same weights give the same bytes.

    Raises:
        ModelUnusable: torch is not installed, or the file is not a detection model.
    """
    _, yolo = import_yolo(weights)
    import onnx
    from onnx import numpy_helper

    with tempfile.TemporaryDirectory() as folder:
        yolo.ckpt_path = str(Path(folder) / "model.pt")
        yolo.model.pt_path = yolo.ckpt_path
        graph_file = yolo.export(format="onnx", dynamic=True, simplify=False, opset=17, verbose=False, device="cpu")
        model = onnx.load(graph_file)
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size > 1:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".half"))
            casts.append(onnx.helper.make_node("Cast", [name + ".half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key in ("names", "stride", "task")}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, kept)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def import_yolo(weights: Path) -> tuple[Any, Any]:
    """Return torch and the ultralytics model of a `.pt` file. Raises `ModelUnusable` where either is missing."""
    if not (importlib.util.find_spec("torch") and importlib.util.find_spec("ultralytics")):
        raise ModelUnusable("a .pt model needs torch and ultralytics", where=weights.name, todo=_TORCH_TODO)
    torch = import_torch()
    from PIL import Image

    unpatched = Image.open
    from ultralytics import YOLO

    # ultralytics wraps it for the whole process; its wrapper wants a package that nobody declares.
    Image.open = unpatched

    try:
        yolo = YOLO(weights, task="detect")
    except Exception as error:  # unpickling raises whatever the file makes it raise
        raise not_a_model(weights, error) from None
    return torch, yolo


def import_torch() -> Any:
    """Import torch so that ultralytics works beside it, offline and without installing anything by itself.

    torchvision from the package index is built for CUDA; beside a CPU torch its import fails for want of its `nms`
    operator, and ultralytics imports it everywhere. Only then the operator is defined, by ultralytics' own
    implementation; a working torchvision is left alone.
    """
    os.environ.setdefault("YOLO_OFFLINE", "1")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / f"quitboard-ultralytics-{os.getuid()}"))
    import torch

    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        _define_torchvision_nms(torch)
    return torch


def _define_torchvision_nms(torch: Any) -> None:
    import sys

    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

    def nms(dets: Any, scores: Any, iou_threshold: float) -> Any:
        from ultralytics.utils.nms import TorchNMS

        return TorchNMS.nms(dets, scores, iou_threshold)

    library.impl("nms", nms, "CPU")
    torch.quitboard_torchvision = library  # an operator lives as long as its library
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    vars(importlib.import_module("torchvision.extension"))["_has_ops"] = lambda: True
