"""Reviews: a change that an agent looks at and says what is wrong with it."""
