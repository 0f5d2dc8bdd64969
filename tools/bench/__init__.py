"""Speed as ratios against peers and floors in the same run; never a claim about seconds."""
