"""Reading: the card, lists, the Home tab, one number, results, exports."""
