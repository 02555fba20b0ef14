"""Google: OAuth and the Gmail API, as `docs/sandbox.md` says with a certainty for each fact."""
