; TECL: SPY against its 200-day mean picks the bull or the bear ladder. Both end in the same switch:
; technology (XLK) stronger than managed futures (KMLM) holds TECL unless it is overbought; weaker
; holds bonds, or TECL when it is oversold.
(defsymphony "Technology for the long term"
 {:asset-class "EQUITIES" :rebalance-frequency :daily}
 (weight-equal
  [(if (> (current-price "SPY") (moving-average-price "SPY" {:window 200}))
    [(group "Bull market"
      [(weight-equal
        [(if (> (rsi "TQQQ" {:window 10}) 79)
          [(group "A quarter in volatility"
            [(weight-specified 0.25 (asset "UVXY") 0.75 (asset "BIL"))])]
          [(if (> (rsi "SPY" {:window 10}) 80)
            [(group "A quarter in volatility"
              [(weight-specified 0.25 (asset "UVXY") 0.75 (asset "BIL"))])]
            [(group "Technology against managed futures"
              [(weight-equal
                [(if (> (rsi "XLK" {:window 10}) (rsi "KMLM" {:window 10}))
                  [(if (> (rsi "XLK" {:window 10}) 81)
                    [(asset "BIL")]
                    [(asset "TECL")])]
                  [(if (< (rsi "XLK" {:window 10}) 29)
                    [(asset "TECL")]
                    [(asset "BIL")])])])])])])])])]
    [(group "Bear market"
      [(weight-equal
        [(if (< (rsi "TQQQ" {:window 10}) 31)
          [(asset "TECL")]
          [(if (< (rsi "SPXL" {:window 10}) 29)
            [(asset "SPXL")]
            [(if (> (rsi "UVXY" {:window 10}) 74)
              [(if (> (rsi "UVXY" {:window 10}) 84)
                [(group "A little volatility"
                  [(weight-specified 0.15 (asset "UVXY") 0.85 (asset "BIL"))])]
                [(asset "BIL")])]
              [(group "Technology against managed futures, safe side open"
                [(weight-equal
                  [(if (> (rsi "XLK" {:window 10}) (rsi "KMLM" {:window 10}))
                    [(if (> (rsi "XLK" {:window 10}) 81)
                      [(asset "BIL")]
                      [(asset "TECL")])]
                    [(if (< (rsi "XLK" {:window 10}) 29)
                      [(asset "TECL")]
                      [(group "The stronger of short Nasdaq and bonds"
                        [(weight-equal
                          [(filter (rsi {:window 9}) (select-top 1)
                            [(asset "SQQQ") (asset "BSV")])])])])])])])])])])])])])]))
