"""Microsoft: the identity platform and Graph's mail, as `docs/sandbox.md` says with a certainty for each fact."""
