"""`aftertouch backtest`: which alerts other rules would have raised over answers of the past."""
