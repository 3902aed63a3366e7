-- The probabilities of all images are read for orders of the queue, the map and the overview. In the table they lie
-- among the features, which take a hundred times their room; this index holds what those queries read, and no more.
CREATE INDEX predictions_without_features ON predictions (model_id, image_id, probs, cross_fitted);
