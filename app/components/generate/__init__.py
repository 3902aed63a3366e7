"""The parts of the Generate page: the form, the prompts of the template, previews, and the generator's card."""
