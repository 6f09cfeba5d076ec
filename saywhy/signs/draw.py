"""Pictures of road signs: a vector drawing per class, placed in a scene with random view, light, background and dirt."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    _Colour: TypeAlias = tuple[int, int, int]
    _Canvas: TypeAlias = NDArray[np.uint8]

SIZE = 48
CLASS_NAMES = (
    "stop",
    "speed limit 30",
    "speed limit 50",
    "speed limit 80",
    "no vehicles",
    "no entry",
    "give way",
    "danger",
    "priority road",
    "keep right",
    "roundabout",
    "pedestrian crossing",
)

_PANEL = 256  # side of a drawing in pixels
_SCENE = 2 * SIZE  # side of a scene before it is reduced to its final size: two samples per pixel in each direction
_SHIFT = 6  # fractional bits of OpenCV's fixed-point coordinates
_RED, _WHITE, _BLACK, _BLUE, _YELLOW = (190, 22, 34), (245, 245, 245), (24, 24, 24), (12, 84, 160), (250, 200, 10)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Coordinates in [-1, 1] (x to the right, y down) -> OpenCV's fixed-point pixels."""
    return np.round((points + 1) / 2 * (_PANEL - 1) * (1 << _SHIFT)).astype(np.int32)


def _arc(x: float, y: float, rx: float, ry: float, start: float = 0, stop: float = 360) -> NDArray[np.float64]:
    """Points of an elliptic arc; degrees run clockwise from the right."""
    angle = np.radians(np.linspace(start, stop, 48))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def _regular(corners: int, radius: float, turn: float, y: float = 0) -> NDArray[np.float64]:
    angle = np.radians(turn + 360 / corners * np.arange(corners))
    return np.stack([radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def _fill(canvas: _Canvas, points: NDArray[np.float64], colour: _Colour) -> None:
    cv2.fillPoly(canvas, [_fixed(points)], (*colour, 255), cv2.LINE_AA, _SHIFT)


def _line(canvas: _Canvas, points: NDArray[np.float64], colour: _Colour, width: float) -> None:
    cv2.polylines(canvas, [_fixed(points)], False, (*colour, 255), round(width * _PANEL / 2), cv2.LINE_AA, _SHIFT)


def _strokes(glyph: str) -> list[NDArray[np.float64]]:
    """The strokes of a character in a box from (-0.5, -1) to (0.5, 1)."""
    match glyph:
        case "0" | "O":
            return [_arc(0, 0, 0.5, 1)]
        case "8":
            return [_arc(0, -0.5, 0.42, 0.5), _arc(0, 0.5, 0.5, 0.5)]
        case "3":
            return [_arc(0, -0.5, 0.45, 0.5, -160, 90), _arc(0, 0.5, 0.5, 0.5, -90, 160)]
        case "5":
            return [
                np.array([[0.42, -1], [-0.38, -1], [-0.45, -0.1]]),
                np.concatenate([[[-0.45, -0.1]], _arc(-0.02, 0.4, 0.52, 0.6, -120, 155)]),
            ]
        case "S":
            return [np.concatenate([_arc(0, -0.5, 0.48, 0.5, -20, -270), _arc(0, 0.5, 0.48, 0.5, -90, 160)])]
        case "T":
            return [np.array([[-0.5, -1.0], [0.5, -1.0]]), np.array([[0.0, -1.0], [0.0, 1.0]])]
        case "P":
            bowl = np.concatenate([[[-0.4, -1]], _arc(0.05, -0.45, 0.45, 0.55, -90, 90), [[-0.4, 0.1]]])
            return [np.array([[-0.4, -1.0], [-0.4, 1.0]]), bowl]
    raise ValueError(f"there are no strokes for {glyph!r}")


def _text(canvas: _Canvas, text: str, colour: _Colour, *, height: float, width: float, pen: float) -> None:
    """Write `text` in the middle; `height` and `width` are half the height and width of a character."""
    step = 2 * width + 1.5 * pen
    for place, glyph in enumerate(text):
        x = (place - (len(text) - 1) / 2) * step
        for stroke in _strokes(glyph):
            _line(canvas, stroke * [2 * width, height] + [x, 0], colour, pen)


def _stop(canvas: _Canvas) -> None:
    _fill(canvas, _regular(8, 1.0, 22.5), _WHITE)
    _fill(canvas, _regular(8, 0.91, 22.5), _RED)
    _text(canvas, "STOP", _WHITE, height=0.32, width=0.13, pen=0.12)


def _ring(canvas: _Canvas) -> None:
    _fill(canvas, _arc(0, 0, 0.97, 0.97), _RED)
    _fill(canvas, _arc(0, 0, 0.72, 0.72), _WHITE)


def _speed(limit: str) -> Callable[[_Canvas], None]:
    def sign(canvas: _Canvas) -> None:
        _ring(canvas)
        _text(canvas, limit, _BLACK, height=0.38, width=0.18, pen=0.14)

    return sign


def _no_entry(canvas: _Canvas) -> None:
    _fill(canvas, _arc(0, 0, 0.97, 0.97), _RED)
    _fill(canvas, np.array([[-0.7, -0.19], [0.7, -0.19], [0.7, 0.19], [-0.7, 0.19]]), _WHITE)


def _give_way(canvas: _Canvas) -> None:
    _fill(canvas, _regular(3, 1.1, 90, -0.25), _RED)
    _fill(canvas, _regular(3, 0.62, 90, -0.25), _WHITE)


def _danger(canvas: _Canvas) -> None:
    _fill(canvas, _regular(3, 1.1, -90, 0.25), _RED)
    _fill(canvas, _regular(3, 0.68, -90, 0.25), _WHITE)
    _line(canvas, np.array([[0.0, -0.12], [0.0, 0.24]]), _BLACK, 0.15)
    _fill(canvas, _arc(0, 0.44, 0.085, 0.085), _BLACK)


def _priority(canvas: _Canvas) -> None:
    _fill(canvas, _regular(4, 0.99, 0), _WHITE)
    _fill(canvas, _regular(4, 0.9, 0), _BLACK)
    _fill(canvas, _regular(4, 0.85, 0), _WHITE)
    _fill(canvas, _regular(4, 0.62, 0), _YELLOW)


def _arrow(canvas: _Canvas, shaft: NDArray[np.float64], width: float, head: float) -> None:
    """A white arrow along `shaft`, its head at the end."""
    _line(canvas, shaft, _WHITE, width)
    along = shaft[-1] - shaft[-2]
    along = along / np.hypot(*along)
    across = along[::-1] * [-1, 1]
    _fill(canvas, np.stack([shaft[-1] + head * along, shaft[-1] + head * across, shaft[-1] - head * across]), _WHITE)


def _blue_disc(canvas: _Canvas) -> None:
    _fill(canvas, _arc(0, 0, 0.97, 0.97), _WHITE)
    _fill(canvas, _arc(0, 0, 0.9, 0.9), _BLUE)


def _keep_right(canvas: _Canvas) -> None:
    _blue_disc(canvas)
    _arrow(canvas, np.array([[-0.42, -0.42], [0.2, 0.2]]), 0.24, 0.36)


def _roundabout(canvas: _Canvas) -> None:
    _blue_disc(canvas)
    for turn in (0, 120, 240):
        _arrow(canvas, _arc(0, 0, 0.5, 0.5, turn + 30, turn - 32), 0.17, 0.24)


def _pedestrian(canvas: _Canvas) -> None:
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    _fill(canvas, square * 0.95, _WHITE)
    _fill(canvas, square * 0.89, _BLUE)
    _fill(canvas, np.array([[0.0, -0.78], [0.8, 0.66], [-0.8, 0.66]]), _WHITE)
    for x in (-0.52, -0.2, 0.12, 0.44):
        _fill(canvas, np.array([[x - 0.06, 0.5], [x + 0.1, 0.5], [x + 0.14, 0.64], [x - 0.08, 0.64]]), _BLACK)
    _fill(canvas, _arc(0.02, -0.3, 0.1, 0.1), _BLACK)
    _line(canvas, np.array([[0.0, -0.12], [0.0, 0.14]]), _BLACK, 0.15)
    _line(canvas, np.array([[-0.22, 0.06], [0.0, -0.12], [0.22, 0.06]]), _BLACK, 0.08)
    _line(canvas, np.array([[-0.2, 0.46], [0.0, 0.14], [0.2, 0.44]]), _BLACK, 0.1)


_DRAWINGS: dict[str, Callable[[_Canvas], None]] = {
    "stop": _stop,
    "speed limit 30": _speed("30"),
    "speed limit 50": _speed("50"),
    "speed limit 80": _speed("80"),
    "no vehicles": _ring,
    "no entry": _no_entry,
    "give way": _give_way,
    "danger": _danger,
    "priority road": _priority,
    "keep right": _keep_right,
    "roundabout": _roundabout,
    "pedestrian crossing": _pedestrian,
}


def panel(name: str) -> NDArray[np.float32]:
    """The clean drawing of the sign `name`: 256×256×4 in [0, 1], colours already multiplied by opacity."""
    canvas = np.zeros((_PANEL, _PANEL, 4), np.uint8)
    _DRAWINGS[name](canvas)
    return canvas.astype(np.float32) / np.float32(255)


def _background(rng: np.random.Generator) -> NDArray[np.float32]:
    """A scene without a sign: sky over ground, a gradient, blotches or a wall of bricks, and some clutter."""
    y, x = np.mgrid[0:_SCENE, 0:_SCENE].astype(np.float32) / _SCENE
    first, second = rng.uniform(0.05, 0.95, (2, 3)).astype(np.float32)
    first, second = (0.4 * colour + 0.6 * colour.mean() for colour in (first, second))  # backgrounds are greyer than signs
    kind = rng.integers(4)
    if kind == 0:
        mix = (y > rng.uniform(0.3, 0.8) + rng.uniform(-0.2, 0.2) * (x - 0.5)).astype(np.float32)
        first = np.array([0.55, 0.7, 0.9], np.float32) * np.float32(rng.uniform(0.6, 1.05))
    elif kind == 1:
        angle = rng.uniform(0, 2 * np.pi)
        mix = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1).astype(np.float32)
    elif kind == 2:
        side = int(rng.integers(3, 13))
        mix = cv2.resize(rng.random((side, side), dtype=np.float32), (_SCENE, _SCENE), interpolation=cv2.INTER_CUBIC)
    else:
        high, wide = rng.uniform(0.08, 0.2), rng.uniform(0.15, 0.4)
        row = np.floor(y / high)
        mix = (((y % high) < 0.02) | (((x + row * wide / 2) % wide) < 0.02)).astype(np.float32)
    scene = np.ascontiguousarray(first + (second - first) * mix[..., None])
    for _ in range(int(rng.integers(0, 4))):
        corners = rng.uniform(-0.2, 1.2, (1, 2)) + rng.uniform(-0.3, 0.3, (int(rng.integers(3, 6)), 2))
        colour = rng.uniform(0, 1, 3)
        cv2.fillPoly(scene, [(corners * _SCENE).astype(np.int32)], [float(value) for value in colour], cv2.LINE_AA)
    scene += rng.normal(0, rng.uniform(0, 0.08), scene.shape[:2])[..., None].astype(np.float32)
    return np.asarray(np.clip(scene, 0, 1), np.float32)


def _view(rng: np.random.Generator) -> NDArray[np.float32]:
    """A random homography from the panel to the scene: size, place, rotation and a little perspective."""
    half = _SCENE * rng.uniform(0.3, 0.47)
    angle = np.radians(rng.normal(0, 7))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float) * [rng.uniform(0.85, 1), 1]
    corners = corners @ turn.T * half + rng.normal(0, 0.03 * half, (4, 2))
    centre = _SCENE / 2 + rng.uniform(-1, 1, 2) * max(0.0, _SCENE / 2 - half) * 0.8
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (_PANEL - 1)
    return np.asarray(cv2.getPerspectiveTransform(source, (corners + centre).astype(np.float32)), np.float32)


def _scene(sign: NDArray[np.float32], rng: np.random.Generator, dirt: float) -> NDArray[np.float32]:
    """One picture, `SIZE`×`SIZE`×3: the sign in a scene. `dirt` (0 to 1) sets how dim, covered, blurred and noisy it is."""
    view = _view(rng)
    scene = _background(rng)
    if rng.random() < 0.6:  # the post
        axis = np.array([[[1, 1], [1, 4]]], np.float32) * (_PANEL / 2)  # from the panel's centre down
        (top, foot) = np.round(cv2.perspectiveTransform(axis, view)[0]).astype(int).tolist()
        grey = float(rng.uniform(0.3, 0.75))
        cv2.line(scene, top, foot, (grey, grey, grey), 4, cv2.LINE_AA)
    # the panel is reduced to about the scene's sampling first: plain bilinear sampling of a larger one would alias
    seen = cv2.warpPerspective(cv2.GaussianBlur(sign, (0, 0), 1.2), view, (_SCENE, _SCENE), flags=cv2.INTER_LINEAR)
    fade = rng.uniform(0.75, 1.0)  # old paint is paler
    colour = seen[..., :3] * fade + seen[..., 3:] * (1 - fade) * 0.6
    scene = colour + scene * (1 - seen[..., 3:])
    if rng.random() < 0.35 * dirt:  # a leaf, a branch, a sticker
        x, y = rng.uniform(0.15, 0.85, 2) * _SCENE
        axes = tuple(int(v) for v in rng.uniform(0.03, 0.13, 2) * _SCENE)
        paint = [float(value) for value in rng.uniform(0, 0.8, 3)]
        cv2.ellipse(scene, (int(x), int(y)), axes, float(rng.uniform(0, 180)), 0, 360, paint, -1, cv2.LINE_AA)
    if rng.random() < 0.3 * dirt:  # the edge of a shadow
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[0:_SCENE, 0:_SCENE] / _SCENE - 0.5
        edge = np.clip(8 * (x * np.cos(angle) + y * np.sin(angle) + rng.uniform(-0.2, 0.2)), 0, 1)
        scene = scene * (1 - rng.uniform(0.2, 0.5) * edge[..., None])
    scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.3, 0.5 + 1.5 * dirt))
    picture = cv2.resize(scene, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    light = rng.uniform(1 - 0.45 * dirt, 1 + 0.15 * dirt) * (1 + rng.normal(0, 0.05 * dirt, 3))  # brightness, colour cast
    grey = picture.mean()
    picture = ((picture - grey) * rng.uniform(1 - 0.4 * dirt, 1.1) + grey) * light
    picture = picture + rng.normal(0, rng.uniform(0, 0.06) * dirt, picture.shape)
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def draw_signs(labels: NDArray[np.integer] | list[int], *, seed: int, dirt: float = 1.0) -> NDArray[np.float32]:
    """Draw one picture per label.

    Args:
        labels: (N,) class numbers, which index `CLASS_NAMES`.
        seed: the same seed draws the same pictures.
        dirt: from 0 (a clear day) to 1, how much blur, noise, cover and bad light there is. View and background vary at
            every value.

    Returns:
        N×48×48×3 float32, RGB in [0, 1], in steps of 1/255.
    """
    rng = np.random.default_rng(seed)
    panels = [panel(name) for name in CLASS_NAMES]
    pictures = [_scene(panels[label], rng, dirt) for label in labels]
    return np.round(np.stack(pictures) * 255).astype(np.float32) / np.float32(255)
