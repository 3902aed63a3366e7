"""The theme: Gradio's variables, set to our tokens, and the head of the page with all our CSS."""

from __future__ import annotations

from inspect import signature

import gradio as gr

from .components.palette import css_rules
from .modules import module_url, stylesheet

SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Ubuntu", "Cantarell", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace"]

# Used before our style sheet is loaded, therefore colours instead of tokens.
FIRST_PAINT = {
    "body_background_fill": "#f6f6f2",
    "body_background_fill_dark": "#0f1413",
    "body_text_color": "#1b2321",
    "body_text_color_dark": "#e7ecea",
}

TOKENS = {
    "body_text_color_subdued": "var(--sa-muted)",
    "body_text_size": "14px",
    "background_fill_primary": "var(--sa-surface)",
    "background_fill_secondary": "var(--sa-raised)",
    "border_color_accent": "var(--sa-accent)",
    "border_color_primary": "var(--sa-line)",
    "color_accent": "var(--sa-accent)",
    "color_accent_soft": "var(--sa-accent-soft)",
    "link_text_color": "var(--sa-accent)",
    "link_text_color_hover": "var(--sa-accent)",
    "link_text_color_visited": "var(--sa-accent)",
    "link_text_color_active": "var(--sa-accent)",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_radius": "var(--sa-radius)",
    "block_info_text_color": "var(--sa-muted)",
    "block_label_background_fill": "transparent",
    "block_label_border_width": "0px",
    "block_label_text_color": "var(--sa-muted)",
    "block_title_text_color": "var(--sa-ink)",
    "block_title_text_weight": "600",
    "block_title_text_size": "13px",
    "container_radius": "var(--sa-radius)",
    "form_gap_width": "0px",
    "layout_gap": "16px",
    "panel_background_fill": "var(--sa-surface)",
    "panel_border_width": "0px",
    "table_text_color": "var(--sa-ink)",
    "table_border_color": "var(--sa-line)",
    "checkbox_background_color": "var(--sa-surface)",
    "checkbox_background_color_hover": "var(--sa-raised)",
    "checkbox_background_color_selected": "var(--sa-accent)",
    "checkbox_border_color": "var(--sa-line-strong)",
    "checkbox_border_color_focus": "var(--sa-accent)",
    "checkbox_border_color_selected": "var(--sa-accent)",
    "checkbox_label_background_fill": "var(--sa-surface)",
    "checkbox_label_background_fill_hover": "var(--sa-raised)",
    "checkbox_label_background_fill_selected": "var(--sa-accent-soft)",
    "checkbox_label_border_color": "var(--sa-line)",
    "checkbox_label_border_color_selected": "var(--sa-accent)",
    "checkbox_label_text_color": "var(--sa-ink)",
    "checkbox_label_text_color_selected": "var(--sa-ink)",
    "checkbox_label_shadow": "none",
    "error_background_fill": "var(--sa-surface)",
    "error_border_color": "var(--sa-bad)",
    "error_text_color": "var(--sa-bad)",
    "error_icon_color": "var(--sa-bad)",
    "input_background_fill": "var(--sa-surface)",
    "input_background_fill_focus": "var(--sa-surface)",
    "input_background_fill_hover": "var(--sa-surface)",
    "input_border_color": "var(--sa-line-strong)",
    "input_border_color_focus": "var(--sa-accent)",
    "input_border_color_hover": "var(--sa-muted)",
    "input_border_width": "1px",
    "input_radius": "8px",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px var(--sa-accent-soft)",
    "input_text_size": "14px",
    "input_placeholder_color": "var(--sa-faint)",
    "loader_color": "var(--sa-accent)",
    "slider_color": "var(--sa-accent)",
    "button_large_radius": "8px",
    "button_medium_radius": "8px",
    "button_small_radius": "8px",
    "button_large_text_size": "14px",
    "button_large_padding": "9px 18px",
    "button_primary_background_fill": "var(--sa-accent)",
    "button_primary_background_fill_hover": "var(--sa-accent-hover)",
    "button_primary_border_color": "var(--sa-accent)",
    "button_primary_text_color": "var(--sa-accent-ink)",
    "button_primary_shadow": "none",
    "button_secondary_background_fill": "var(--sa-surface)",
    "button_secondary_background_fill_hover": "var(--sa-raised)",
    "button_secondary_border_color": "var(--sa-line-strong)",
    "button_secondary_text_color": "var(--sa-ink)",
    "button_secondary_shadow": "none",
    "button_cancel_background_fill": "var(--sa-surface)",
    "button_cancel_border_color": "var(--sa-line-strong)",
    "button_cancel_text_color": "var(--sa-bad)",
}


def theme() -> gr.themes.Base:
    """Gradio's base theme with our tokens, in light and dark."""
    known = signature(gr.themes.Base.set).parameters
    dark = {f"{name}_dark": value for name, value in TOKENS.items() if f"{name}_dark" in known}
    return gr.themes.Base(font=list(SANS), font_mono=list(MONO)).set(**TOKENS, **dark, **FIRST_PAINT)


def head() -> str:
    """The head of the page: all style sheets and the module of the shell, nothing from other servers."""
    shell = module_url("static/shell.js")
    return f'<style>{css_rules()}\n{stylesheet()}</style>\n<script type="module" src="{shell}"></script>'
