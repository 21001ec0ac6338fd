"""The receipt of an answer as a page: what the model was asked, to read, to keep and to send again."""
