"""The browser app, imported as ``synthaug_app``. It imports synthaug, but synthaug never imports it."""
