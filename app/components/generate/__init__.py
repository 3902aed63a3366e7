"""The parts of the Generate page: the form, the template's prompts, previews, the generator's card."""
