-- Gray images of more than 8 bits, and what their source said of how they were taken; never of whom. How they are
-- shown is in the image file itself.
CREATE TABLE gray_images (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 16),
    acquisition TEXT NOT NULL
) STRICT;
