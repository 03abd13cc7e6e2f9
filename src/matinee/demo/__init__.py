"""The main job end to end: MovieLens through the whole Personalize workflow, with boto3 as the only client."""
