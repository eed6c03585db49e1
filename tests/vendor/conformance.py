"""Drives the vendor's own client against an exchange: one line per check, `ok NAME` or `FAIL NAME: why`.

Usage: conformance.py BASE_URL STREAM_URL
"""

import sys
import threading
import time
from datetime import date, datetime, timezone
from decimal import Decimal

from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetClass, AssetStatus, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
)
from alpaca.trading.stream import TradingStream

BASE, STREAM = sys.argv[1], sys.argv[2]
PATIENCE = 20.0
trading = TradingClient("PKTEST", "secret", paper=True, url_override=BASE)
data = StockHistoricalDataClient("PKTEST", "secret", url_override=BASE)
SYMBOLS = ["AAPL", "BIL", "MSFT", "NVDA", "QQQ", "SPY", "TLT", "TQQQ"]
CHECKS = []
updates = []


def check(function):
    CHECKS.append(function)
    return function


def until(what, holds):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen; updates: {[(u.event, u.order.client_order_id) for u in updates]}")


def refused(status, words, call):
    try:
        call()
    except APIError as error:
        assert error.status_code == status, f"status {error.status_code}"
        assert words in str(error), str(error)
        return
    raise AssertionError("was not refused")


def limit(symbol, qty, price, side=OrderSide.BUY, name=None):
    return LimitOrderRequest(
        symbol=symbol, qty=qty, side=side, limit_price=price, time_in_force=TimeInForce.DAY, client_order_id=name
    )


def ask(symbol):
    return data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=symbol, feed=DataFeed.IEX))[symbol].ask_price


@check
def account():
    found = trading.get_account()
    assert found.status.value == "ACTIVE" and not found.trading_blocked
    assert Decimal(found.cash) == Decimal("100000") and Decimal(found.equity) > Decimal(found.cash)
    assert found.multiplier == "1" and found.account_number.startswith("PA")


@check
def configurations():
    found = trading.get_account_configurations()
    assert found.no_shorting and found.fractional_trading and found.max_margin_multiplier == "1"


@check
def clock():
    found = trading.get_clock()
    assert found.is_open and found.next_close < found.next_open
    assert found.timestamp.astimezone(timezone.utc).date() == date(2026, 11, 20)


@check
def calendar():
    found = trading.get_calendar(GetCalendarRequest(start=date(2026, 11, 25), end=date(2026, 11, 30)))
    assert [day.date.day for day in found] == [25, 27, 30]
    assert found[1].close == datetime(2026, 11, 27, 13, 0)


@check
def assets():
    found = trading.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE, asset_class=AssetClass.US_EQUITY))
    assert len(found) == 67
    one = trading.get_asset("SPY")
    assert one.tradable and one.fractionable and trading.get_asset(str(one.id)).symbol == "SPY"
    refused(404, "not found", lambda: trading.get_asset("NOPE"))


@check
def positions():
    found = {position.symbol: position for position in trading.get_all_positions()}
    assert set(found) == {"SPY"} and found["SPY"].qty == "10.5" and found["SPY"].qty_available == "10.5"
    assert trading.get_open_position("SPY").side.value == "long"
    refused(404, "position does not exist", lambda: trading.get_open_position("QQQ"))


@check
def bars_over_several_pages():
    request = StockBarsRequest(
        symbol_or_symbols=SYMBOLS,
        timeframe=TimeFrame.Day,
        start=datetime(2019, 1, 2, tzinfo=timezone.utc),
        end=datetime(2026, 11, 19, 23, tzinfo=timezone.utc),
        adjustment=Adjustment.ALL,
        feed=DataFeed.SIP,
    )
    found = data.get_stock_bars(request).data
    lengths = {symbol: len(found[symbol]) for symbol in SYMBOLS}
    assert len(set(lengths.values())) == 1, lengths
    assert sum(lengths.values()) > 10_000, "not more than one page"
    last = found["SPY"][-1]
    assert last.timestamp == datetime(2026, 11, 19, 5, tzinfo=timezone.utc)
    assert last.low <= last.close <= last.high and last.volume > 0


@check
def recent_consolidated_bars_are_refused():
    request = StockBarsRequest(
        symbol_or_symbols="SPY",
        timeframe=TimeFrame.Day,
        start=datetime(2026, 11, 18, tzinfo=timezone.utc),
        end=datetime(2026, 11, 20, 23, tzinfo=timezone.utc),
        feed=DataFeed.SIP,
    )
    refused(403, "subscription does not permit", lambda: data.get_stock_bars(request))
    request.feed = DataFeed.IEX
    assert data.get_stock_bars(request).data["SPY"][-1].timestamp.date() == date(2026, 11, 20), "today's partial bar"


@check
def latest_quotes_trades_and_snapshots():
    quotes = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=SYMBOLS, feed=DataFeed.IEX))
    assert set(quotes) == set(SYMBOLS)
    assert all(0 < quote.bid_price < quote.ask_price for quote in quotes.values())
    trades = data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="SPY", feed=DataFeed.IEX))
    assert quotes["SPY"].bid_price - 5 < trades["SPY"].price < quotes["SPY"].ask_price + 5
    snapshot = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY", feed=DataFeed.IEX))["SPY"]
    assert snapshot.daily_bar and snapshot.previous_daily_bar and snapshot.latest_quote


@check
def an_order_is_taken_in_and_filled():
    order = trading.submit_order(limit("QQQ", 2, round(ask("QQQ") * 1.01, 2), name="buy-qqq"))
    assert order.status == OrderStatus.PENDING_NEW and order.filled_qty == "0"
    filled = until("the fill", lambda: (o := trading.get_order_by_client_id("buy-qqq")).status == OrderStatus.FILLED and o)
    assert filled.id == order.id and filled.filled_qty == "2" and filled.filled_avg_price <= filled.limit_price
    assert trading.get_order_by_id(order.id).status == OrderStatus.FILLED
    assert Decimal(trading.get_account().cash) == Decimal("100000") - round(2 * Decimal(filled.filled_avg_price), 2)


@check
def an_order_by_dollars_is_filled_in_fractions():
    request = MarketOrderRequest(symbol="TLT", notional=100, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, client_order_id="buy-tlt")
    trading.submit_order(request)
    filled = until("the fill", lambda: (o := trading.get_order_by_client_id("buy-tlt")).status == OrderStatus.FILLED and o)
    assert filled.qty is None and Decimal(filled.filled_qty) % 1 != 0


@check
def refusals():
    price = round(ask("QQQ") * 1.01, 2)
    refused(422, "client_order_id must be unique", lambda: trading.submit_order(limit("QQQ", 2, price, name="buy-qqq")))
    refused(403, "insufficient buying power", lambda: trading.submit_order(limit("QQQ", 100_000, price)))
    refused(403, "insufficient qty available", lambda: trading.submit_order(limit("SPY", 11, 1.0, OrderSide.SELL)))
    refused(403, "not allowed to short", lambda: trading.submit_order(limit("AAPL", 1, 1.0, OrderSide.SELL)))
    refused(422, "sub-penny", lambda: trading.submit_order(limit("QQQ", 1, 290.123)))
    refused(422, "not found", lambda: trading.submit_order(limit("ZZZZ", 1, 1.0)))
    refused(404, "order not found", lambda: trading.get_order_by_client_id("nobody"))


@check
def orders_are_listed_and_cancelled():
    resting = trading.submit_order(limit("SPY", 1, 1.0, name="rest-1"))
    trading.submit_order(limit("SPY", 1, 1.01, name="rest-2"))
    until("two working orders", lambda: len(trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN))) == 2)
    refused(403, "wash trade", lambda: trading.submit_order(limit("SPY", 1, 1.0, OrderSide.SELL)))
    trading.cancel_order_by_id(resting.id)
    until("the cancellation", lambda: trading.get_order_by_id(resting.id).status == OrderStatus.CANCELED)
    answers = trading.cancel_orders()
    assert [answer.status for answer in answers] == [200]
    until("no working order", lambda: not trading.get_orders())
    every = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, limit=500))
    assert [order.client_order_id for order in every][-2:] == ["buy-tlt", "buy-qqq"], "newest first"
    refused(422, "already in", lambda: trading.cancel_order_by_id(trading.get_order_by_client_id("buy-qqq").id))


@check
def activities_and_history():
    rows = trading.get("/account/activities/FILL", {"page_size": 1})
    assert len(rows) == 1 and rows[0]["activity_type"] == "FILL" and "::" in rows[0]["id"]
    more = trading.get("/account/activities/FILL", {"page_size": 100, "page_token": rows[0]["id"]})
    assert any(row["symbol"] == "QQQ" for row in more)
    history = trading.get_portfolio_history(GetPortfolioHistoryRequest(period="1M", timeframe="1D"))
    assert history.equity and history.equity[-1] > 100_000


@check
def updates_arrive_on_the_stream():
    events = until("the stream's word of the fill", lambda: [u for u in updates if u.order.client_order_id == "buy-qqq" and u.event == "fill"])
    assert events[0].position_qty == 2 and events[0].execution_id and events[0].timestamp
    assert {"pending_new", "new", "fill", "canceled"} <= {str(getattr(u.event, "value", u.event)) for u in updates}


async def heard(update):
    updates.append(update)


def main():
    stream = TradingStream("PKTEST", "secret", paper=True, url_override=STREAM)
    stream.subscribe_trade_updates(heard)
    threading.Thread(target=stream.run, daemon=True).start()
    until("the stream's start", lambda: stream._running)
    time.sleep(0.2)  # the answer to `listen` is not waited for by the client
    failed = 0
    for function in CHECKS:
        try:
            function()
            print("ok", function.__name__, flush=True)
        except Exception as error:  # every failure is a line, and the next check goes on
            failed += 1
            print(f"FAIL {function.__name__}: {type(error).__name__}: {error}", flush=True)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} passed", flush=True)
    return 1 if failed else 0


sys.exit(main())
