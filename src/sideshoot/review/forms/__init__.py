"""The forms in which a review goes to other programs."""
