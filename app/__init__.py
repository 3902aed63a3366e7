"""The browser app. Imported as ``synthaug_app``; it may import synthaug, never the other way."""
