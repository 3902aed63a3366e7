// @ts-check
// Tells Python that the workspace has changed. Nothing is shown.

import { onChange } from "../../static/lib/changes.js";

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ trigger }) {
  onChange(() => trigger("change"));
}
