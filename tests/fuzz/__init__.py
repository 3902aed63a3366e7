"""Every parser against input of all kinds: a result or a UserError, nothing else, within a bounded time."""
