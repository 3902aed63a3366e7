"""Draws the bones of a dog's pelvis as a ventrodorsal radiograph shows them: what :mod:`.phantom` is made of.

Thicknesses of bone and tissue add up and attenuate, as X-rays do. Shapes are drawn by their signed distances, so
that an edge lies where it is asked for to a fraction of a pixel. Lengths are shares of the image's side; pelvis
coordinates have their origin between the femoral heads, y caudally.
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
"""One value a pixel, (S, S)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the pelvis lies: pelvis coordinates (origin between the heads, y caudally) in the image."""

    size: int
    origin: Point
    tilt: float  # radians
    scale: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, size: int) -> Frame:
        x, y = rng.uniform(-0.03, 0.03, 2)
        tilt = math.radians(float(np.clip(rng.normal(0, 2.5), -6, 6)))
        return cls(size, (0.5 + float(x), 0.5 + float(y)), tilt, float(rng.uniform(0.92, 1.08)))

    def to_image(self, point: Point) -> Point:
        """Pelvis coordinates as pixels."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        x, y = point
        return (
            self.size * (self.origin[0] + self.scale * (cos * x - sin * y)),
            self.size * (self.origin[1] + self.scale * (sin * x + cos * y)),
        )

    def grid(self) -> tuple[Plane, Plane]:
        """The pelvis coordinates of every pixel's middle."""
        middles = (np.arange(self.size) + 0.5) / self.size
        x = (middles[None, :] - self.origin[0]) / self.scale
        y = (middles[:, None] - self.origin[1]) / self.scale
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return cos * x + sin * y, cos * y - sin * x


@dataclass(frozen=True, slots=True)
class Hip:
    """One joint in pelvis coordinates: the head, and the socket around it."""

    side: int  # -1 left, 1 right
    center: Point
    across: Point  # unit vector to the other head
    radius: float
    socket: float  # radius of the acetabulum
    angle: float  # degrees

    @classmethod
    def pair(cls, rng: np.random.Generator, angles: Sequence[float]) -> tuple[Hip, Hip]:
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
        """The point at ``angle`` degrees from the line to the other head, cranially, and this far away."""
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        (ux, uy), (nx, ny) = self.across, self.cranial
        return (
            self.center[0] + distance * (cos * ux + sin * nx),
            self.center[1] + distance * (cos * uy + sin * ny),
        )

    @property
    def cranial(self) -> Point:
        """The unit vector towards the head of the dog, upright on ``across``."""
        return (-self.side * self.across[1], self.side * self.across[0])


class _Canvas:
    """Adds up thicknesses, in arbitrary units, of shapes with soft edges one pixel wide."""

    def __init__(self, frame: Frame) -> None:
        self.x, self.y = frame.grid()
        self.pixel = 1 / (frame.size * frame.scale)
        self.total: Plane = np.zeros((frame.size, frame.size))

    def add(self, distance: Plane, thickness: float | Plane) -> None:
        """A shape by its signed distance (negative inside)."""
        self.total += thickness * np.clip(0.5 - distance / self.pixel, 0, 1)

    def disc(self, center: Point, radius: float) -> Plane:
        return np.hypot(self.x - center[0], self.y - center[1]) - radius

    def ellipse(self, center: Point, radii: Point) -> Plane:
        x, y = (self.x - center[0]) / radii[0], (self.y - center[1]) / radii[1]
        return (np.hypot(x, y) - 1) * min(radii)

    def bar(self, start: Point, end: Point, radii: Point) -> Plane:
        """A rod from ``start`` to ``end`` with round ends of these radii."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        along = ((self.x - start[0]) * dx + (self.y - start[1]) * dy) / (dx * dx + dy * dy)
        along = np.clip(along, 0, 1)
        distance = np.hypot(self.x - start[0] - along * dx, self.y - start[1] - along * dy)
        return distance - (radii[0] + along * (radii[1] - radii[0]))

    def roof(self, hip: Hip, width: float) -> Plane:
        """The acetabulum: a band around the head from its medial side, cut off straight at the rim."""
        px, py = self.x - hip.center[0], self.y - hip.center[1]
        (ux, uy), (nx, ny) = hip.across, hip.cranial
        along, up = px * ux + py * uy, px * nx + py * ny
        band = np.abs(np.hypot(px, py) - hip.socket) - width / 2
        end, start = math.radians(hip.angle), math.radians(-45)
        beyond = up * math.cos(end) - along * math.sin(end)
        before = along * math.sin(start) - up * math.cos(start)
        return np.maximum(band, np.maximum(beyond, before))


def thickness(rng: np.random.Generator, frame: Frame, hips: tuple[Hip, Hip]) -> Plane:
    """What the rays pass: soft tissue, spine, and both sides' bones."""
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
    """Thigh, ilium, ischium, pubis, femur, and the joint itself."""
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
    """The film: attenuation, uneven exposure, contrast, blur, noise."""
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
    """Gaussian blur of ``sigma`` pixels; edges are repeated."""
    size, reach = len(plane), max(1, math.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    places = np.arange(size)
    kernel: Plane = np.zeros((size, size))
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        np.add.at(kernel, (places, np.clip(places + offset, 0, size - 1)), weight)
    return kernel @ plane @ kernel.T
