// @ts-check
// Images that are looked at stay this person's: asked for again as long as somebody is at the desk.

const EVERY_MS = 60_000; // a lease lasts five minutes
const AWAY_MS = 15 * 60_000; // without a key or a pointer for this long nobody is there

/**
 * Whether somebody is at the desk.
 * @param {boolean} visible
 * @param {number} touched when the last key or pointer came, in milliseconds
 * @param {number} now
 */
export function isInUse(visible, touched, now) {
  return visible && now - touched < AWAY_MS;
}

/** @param {() => void} renew */
export function keepLeases(renew) {
  let touched = performance.now();
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"])
    document.addEventListener(
      kind,
      () => {
        const wasAway = !isInUse(true, touched, performance.now());
        touched = performance.now();
        if (wasAway) renew();
      },
      { passive: true },
    );
  const renewInUse = () => {
    if (isInUse(!document.hidden, touched, performance.now())) renew();
  };
  document.addEventListener("visibilitychange", renewInUse);
  setInterval(renewInUse, EVERY_MS);
}
