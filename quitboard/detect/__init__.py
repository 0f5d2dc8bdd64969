"""From recorded folders to bundles: look, decide, show only what is anonymised."""
