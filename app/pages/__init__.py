"""One module a page; each has ``page(context)``, called inside that page's own column."""
