// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { coefficientWords } from "../../app/components/reading/agreement_view.js";
import { blocksOf, spansOf } from "../../app/components/reading/markdown.js";

test("headings, paragraphs and lists", () => {
  const blocks = blocksOf("# Hips\nLook at the rim,\nthen at the head.\n\n- left\n- right\n1. measure\n### Note\nend");
  assert.deepEqual(
    blocks.map(({ kind, spans }) => [kind, spans.map(({ text }) => text).join("")]),
    [
      ["h3", "Hips"],
      ["p", "Look at the rim, then at the head."],
      ["li", "left"],
      ["li", "right"],
      ["li", "measure"],
      ["h4", "Note"],
      ["p", "end"],
    ],
  );
  assert.deepEqual(
    blocks.filter(({ kind }) => kind === "li").map(({ ordered }) => ordered),
    [false, false, true],
  );
  assert.deepEqual(blocksOf(""), []);
});

test("bold, italic, code and links within a line", () => {
  assert.deepEqual(spansOf("**Big** is *above* `105` ([why](https://example.org/a))"), [
    { kind: "strong", text: "Big" },
    { kind: "text", text: " is " },
    { kind: "em", text: "above" },
    { kind: "text", text: " " },
    { kind: "code", text: "105" },
    { kind: "text", text: " (" },
    { kind: "link", text: "why", href: "https://example.org/a" },
    { kind: "text", text: ")" },
  ]);
});

test("tags stay text, and only web addresses become links", () => {
  assert.deepEqual(spansOf("<img src=x onerror=alert(1)>"), [{ kind: "text", text: "<img src=x onerror=alert(1)>" }]);
  for (const href of ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "//evil.example", "vbscript:x"]) {
    const spans = spansOf(`[a](${href})`);
    assert.ok(spans.every(({ kind }) => kind === "text"));
    assert.equal(spans.map(({ text }) => text).join(""), `[a](${href})`);
  }
});

test("a coefficient with its interval", () => {
  assert.equal(coefficientWords({ value: 0.676, low: 0.504, high: 0.848 }), "0.68 (0.50 to 0.85)");
  assert.equal(coefficientWords({ value: null, low: null, high: null }), "not defined");
});
