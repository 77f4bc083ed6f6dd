"""What all pages share: who looks, in which language, how amounts and dates are shown, and what keeps pages safe."""
