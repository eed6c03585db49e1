"""Returns of an equity curve by other people's formulas: JSON of [date, equity, paid in] on standard input."""

import datetime
import json
import sys

import numpy
import pyxirr

points = json.load(sys.stdin)
dates = [datetime.date.fromisoformat(date) for date, _, _ in points]
equity = numpy.array([float(equity) for _, equity, _ in points])
paid_in = numpy.array([float(paid_in) for _, _, paid_in in points])

time_weighted = numpy.prod((equity[1:] - paid_in[1:]) / equity[:-1]) - 1

payments = -paid_in
payments[0] = -equity[0]
payments[-1] += equity[-1]
rate = pyxirr.xirr(dates, payments)
money_weighted = (1 + rate) ** ((dates[-1] - dates[0]).days / 365) - 1

print(json.dumps([time_weighted, money_weighted]))
