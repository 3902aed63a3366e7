"""Drawing the bones of a dog's pelvis as a ventrodorsal radiograph shows them, for :mod:`.phantom`.

The thicknesses of bone and tissue add up and attenuate the rays, as in a radiograph. Shapes are drawn from their signed
distances, so that edges are exact to a fraction of a pixel. Lengths are shares of the image's side. Pelvis coordinates
have their origin between the femoral heads, with y pointing caudally.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.importers.hip.angles import Point
from synthaug.records import Pixels

Plane = NDArray[np.float64]
"""One value per pixel, (S, S)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The position, tilt and scale of the pelvis in the image."""

    size: int  # pixels a side
    origin: Point  # of the pelvis coordinates, as shares of the image's side
    tilt: float  # radians
    scale: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, size: int) -> Frame:
        """A random frame for an image of ``size`` pixels a side."""
        x, y = rng.uniform(-0.03, 0.03, 2)
        tilt = math.radians(float(np.clip(rng.normal(0, 2.5), -6, 6)))
        return cls(size, (0.5 + float(x), 0.5 + float(y)), tilt, float(rng.uniform(0.92, 1.08)))

    def to_image(self, point: Point) -> Point:
        """Convert pelvis coordinates to pixels."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        x, y = point
        return (
            self.size * (self.origin[0] + self.scale * (cos * x - sin * y)),
            self.size * (self.origin[1] + self.scale * (sin * x + cos * y)),
        )

    def grid(self) -> tuple[Plane, Plane]:
        """The pelvis coordinates x and y of the centre of every pixel, each (S, S)."""
        centres = (np.arange(self.size) + 0.5) / self.size
        x = (centres[None, :] - self.origin[0]) / self.scale
        y = (centres[:, None] - self.origin[1]) / self.scale
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return cos * x + sin * y, cos * y - sin * x


@dataclass(frozen=True, slots=True)
class Hip:
    """One hip joint in pelvis coordinates: the femoral head and the acetabulum around it."""

    side: int  # -1 left, 1 right
    center: Point
    across: Point  # unit vector to the other head
    radius: float
    socket: float  # radius of the acetabulum
    angle: float  # degrees

    @classmethod
    def pair(cls, rng: np.random.Generator, angles: Sequence[float]) -> tuple[Hip, Hip]:
        """A random left and right hip with these Norberg angles in degrees."""
        apart, uneven = float(rng.uniform(0.19, 0.21)), float(rng.normal(0, 0.004))
        centers = ((-apart, uneven), (apart, -uneven))
        length = math.hypot(2 * apart, 2 * uneven)
        across = (2 * apart / length, -2 * uneven / length)
        hips = []
        for place, side in enumerate((-1, 1)):
            radius = float(rng.uniform(0.07, 0.08))
            direction = (-side * across[0], -side * across[1])
            socket = radius * float(rng.uniform(1.14, 1.22))
            hips.append(cls(side, centers[place], direction, radius, socket, angles[place]))
        return hips[0], hips[1]

    def at(self, angle: float, distance: float) -> Point:
        """The point at ``distance`` from the centre, ``angle`` degrees cranial of the line to the other head."""
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        (ux, uy), (nx, ny) = self.across, self.cranial
        return (
            self.center[0] + distance * (cos * ux + sin * nx),
            self.center[1] + distance * (cos * uy + sin * ny),
        )

    @property
    def cranial(self) -> Point:
        """The unit vector towards the dog's head, perpendicular to ``across``."""
        return (-self.side * self.across[1], self.side * self.across[0])


class _Canvas:
    """Sums the thicknesses, in arbitrary units, of shapes whose soft edges are one pixel wide."""

    def __init__(self, frame: Frame) -> None:
        self.x, self.y = frame.grid()
        self.pixel = 1 / (frame.size * frame.scale)
        self.total: Plane = np.zeros((frame.size, frame.size))

    def add(self, distance: Plane, thickness: float | Plane) -> None:
        """Add a shape, given by its signed distance (negative inside)."""
        self.total += thickness * np.clip(0.5 - distance / self.pixel, 0, 1)

    def disc(self, center: Point, radius: float) -> Plane:
        """The signed distance of a disc."""
        return np.hypot(self.x - center[0], self.y - center[1]) - radius

    def ellipse(self, center: Point, radii: Point) -> Plane:
        """The approximate signed distance of an ellipse."""
        x, y = (self.x - center[0]) / radii[0], (self.y - center[1]) / radii[1]
        return (np.hypot(x, y) - 1) * min(radii)

    def bar(self, start: Point, end: Point, radii: Point) -> Plane:
        """The signed distance of a rod from ``start`` to ``end`` with round ends of these radii."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        along = ((self.x - start[0]) * dx + (self.y - start[1]) * dy) / (dx * dx + dy * dy)
        along = np.clip(along, 0, 1)
        distance = np.hypot(self.x - start[0] - along * dx, self.y - start[1] - along * dy)
        return distance - (radii[0] + along * (radii[1] - radii[0]))

    def roof(self, hip: Hip, width: float) -> Plane:
        """The signed distance of the acetabulum: a band around the head, cut off straight at the rim."""
        px, py = self.x - hip.center[0], self.y - hip.center[1]
        (ux, uy), (nx, ny) = hip.across, hip.cranial
        along, up = px * ux + py * uy, px * nx + py * ny
        band = np.abs(np.hypot(px, py) - hip.socket) - width / 2
        end, start = math.radians(hip.angle), math.radians(-45)
        beyond = up * math.cos(end) - along * math.sin(end)
        before = along * math.sin(start) - up * math.cos(start)
        return np.maximum(band, np.maximum(beyond, before))


def thickness(rng: np.random.Generator, frame: Frame, hips: tuple[Hip, Hip]) -> Plane:
    """The thickness (S, S) that the rays pass: soft tissue, the spine, and the bones of both sides."""
    canvas = _Canvas(frame)
    canvas.add(canvas.ellipse((0, -0.15), (float(rng.uniform(0.34, 0.42)), 0.6)), 0.30)
    bone = float(rng.uniform(0.75, 1.15))
    canvas.add(canvas.bar((0, -0.6), (0, -0.12), (0.06, 0.055)), 0.45 * bone)
    for k in range(6):
        canvas.add(canvas.ellipse((0, -0.06 + 0.085 * k), (0.03 - 0.003 * k, 0.032)), 0.3 * bone)
    for hip in hips:
        _side(rng, canvas, hip, bone)
    return canvas.total


def _side(rng: np.random.Generator, canvas: _Canvas, hip: Hip, bone: float) -> None:
    """Draw one side: thigh, ilium, ischium, pubis, femur and the joint itself."""
    side, (x, y) = hip.side, hip.center
    canvas.add(canvas.ellipse((side * 0.27, 0.33), (0.17, 0.36)), float(rng.uniform(0.2, 0.35)))
    stem = hip.at(hip.angle - 28, hip.socket + 0.045)
    wing = (side * float(rng.uniform(0.15, 0.19)), -0.36)
    canvas.add(canvas.bar(stem, wing, (0.033, 0.055)), 0.5 * bone)
    seat = (side * 0.13, 0.3)
    canvas.add(canvas.bar(hip.at(-35, hip.socket + 0.02), seat, (0.03, 0.04)), 0.45 * bone)
    canvas.add(canvas.bar(hip.at(-15, hip.socket + 0.015), (side * 0.025, 0.12), (0.02, 0.022)), 0.4 * bone)
    canvas.add(canvas.bar((side * 0.025, 0.12), (side * 0.03, 0.27), (0.022, 0.028)), 0.4 * bone)
    canvas.add(canvas.bar(seat, (side * 0.03, 0.27), (0.03, 0.028)), 0.3 * bone)
    knee = (x + side * float(rng.uniform(0.08, 0.13)), y + 0.62)
    shoulder = (x + side * 0.105, y + 0.11)
    canvas.add(canvas.bar(shoulder, knee, (0.042, 0.036)), 0.55 * bone)
    canvas.add(canvas.bar((x, y), shoulder, (0.04, 0.042)), 0.35 * bone)
    canvas.add(canvas.bar((x + side * 0.13, y + 0.03), shoulder, (0.02, 0.03)), 0.3 * bone)
    head = canvas.disc(hip.center, hip.radius)
    sphere = np.sqrt(np.clip(-head / hip.radius, 0, 1))
    canvas.add(head, bone * (0.35 + 0.35 * sphere))
    canvas.add(canvas.roof(hip, 0.030), 0.75 * bone)


def exposed(rng: np.random.Generator, thickness: Plane, size: int) -> Pixels:
    """The film (S, S, 3) uint8, with random attenuation, blur, uneven exposure, contrast and noise."""
    signal = 1 - np.exp(-float(rng.uniform(0.9, 1.5)) * thickness)
    signal = _blurred(signal, size * float(rng.uniform(0.003, 0.010)))
    ramp = np.linspace(-1, 1, size)
    tilt = rng.normal(0, 0.03, 2)
    signal = signal * (1 + tilt[0] * ramp[:, None] + tilt[1] * ramp[None, :])
    low, high = float(rng.uniform(0, 25)), float(rng.uniform(205, 255))
    gray = low + (high - low) * np.clip(signal, 0, 1) ** float(rng.uniform(0.9, 1.3))
    gray += rng.normal(0, float(rng.uniform(1.5, 6)), gray.shape)
    levels = np.clip(np.rint(gray), 0, 255).astype(np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)


def _blurred(plane: Plane, sigma: float) -> Plane:
    """``plane`` (S, S) with a Gaussian blur of ``sigma`` pixels; border pixels are repeated outward."""
    size, reach = len(plane), max(1, math.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    places = np.arange(size)
    kernel: Plane = np.zeros((size, size))
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        np.add.at(kernel, (places, np.clip(places + offset, 0, size - 1)), weight)
    return kernel @ plane @ kernel.T
