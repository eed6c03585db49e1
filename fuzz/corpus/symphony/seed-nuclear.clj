; Nuclear: when anything is overbought, hold volatility; when oversold, buy the rebound; otherwise
; three nuclear names above the 200-day mean of SPY, and two bear sleeves weighed by calm below it.
; RSI windows are in days; every comparison is strict, and equality goes to the second branch.
(defsymphony "Nuclear energy with feedback"
 {:asset-class "EQUITIES" :rebalance-frequency :daily}
 (weight-equal
  [(if (> (rsi "SPY" {:window 10}) 79)
    [(group "Overbought: all volatility above 81"
      [(weight-equal
        [(if (> (rsi "SPY" {:window 10}) 81)
          [(asset "UVXY")]
          [(if (> (rsi "IOO" {:window 10}) 81)
            [(asset "UVXY")]
            [(if (> (rsi "TQQQ" {:window 10}) 81)
              [(asset "UVXY")]
              [(if (> (rsi "VTV" {:window 10}) 81)
                [(asset "UVXY")]
                [(if (> (rsi "XLF" {:window 10}) 81)
                  [(asset "UVXY")]
                  [(group "Volatility with a hedge"
                    [(weight-specified 0.75 (asset "UVXY") 0.25 (asset "BTAL"))])])])])])])])])]
    [(if (> (rsi "IOO" {:window 10}) 79)
      [(if (> (rsi "IOO" {:window 10}) 81)
        [(asset "UVXY")]
        [(if (> (rsi "TQQQ" {:window 10}) 81)
          [(asset "UVXY")]
          [(if (> (rsi "VTV" {:window 10}) 81)
            [(asset "UVXY")]
            [(if (> (rsi "XLF" {:window 10}) 81)
              [(asset "UVXY")]
              [(group "Volatility with a hedge"
                [(weight-specified 0.75 (asset "UVXY") 0.25 (asset "BTAL"))])])])])])]
      [(if (> (rsi "TQQQ" {:window 10}) 79)
        [(if (> (rsi "TQQQ" {:window 10}) 81)
          [(asset "UVXY")]
          [(if (> (rsi "VTV" {:window 10}) 81)
            [(asset "UVXY")]
            [(if (> (rsi "XLF" {:window 10}) 81)
              [(asset "UVXY")]
              [(group "Volatility with a hedge"
                [(weight-specified 0.75 (asset "UVXY") 0.25 (asset "BTAL"))])])])])]
        [(if (> (rsi "VTV" {:window 10}) 79)
          [(if (> (rsi "VTV" {:window 10}) 81)
            [(asset "UVXY")]
            [(if (> (rsi "XLF" {:window 10}) 81)
              [(asset "UVXY")]
              [(group "Volatility with a hedge"
                [(weight-specified 0.75 (asset "UVXY") 0.25 (asset "BTAL"))])])])]
          [(if (> (rsi "XLF" {:window 10}) 79)
            [(if (> (rsi "XLF" {:window 10}) 81)
              [(asset "UVXY")]
              [(group "Volatility with a hedge"
                [(weight-specified 0.75 (asset "UVXY") 0.25 (asset "BTAL"))])])]
            [(if (> (rsi "VOX" {:window 10}) 79)
              [(if (> (rsi "XLF" {:window 10}) 81)
                [(asset "UVXY")]
                [(group "Volatility with a hedge"
                  [(weight-specified 0.75 (asset "UVXY") 0.25 (asset "BTAL"))])])]
              [(group "Oversold rebounds, then the regime"
                [(weight-equal
                  [(if (< (rsi "TQQQ" {:window 10}) 30)
                    [(asset "TQQQ")]
                    [(if (< (rsi "SPY" {:window 10}) 30)
                      [(asset "UPRO")]
                      [(if (> (current-price "SPY") (moving-average-price "SPY" {:window 200}))
                        [(group "Nuclear trend leaders"
                          [(weight-equal
                            [(filter (moving-average-return {:window 90}) (select-top 3)
                              [(asset "SMR")
                               (asset "BWXT")
                               (asset "LEU")
                               (asset "EXC")
                               (asset "NLR")
                               (asset "OKLO")])])])]
                        [(group "Below the 200-day mean"
                          [(weight-inverse-volatility 14
                            [(group "Bears with the fall test"
                              [(weight-equal
                                [(if (< (rsi "PSQ" {:window 10}) 35)
                                  [(asset "SQQQ")]
                                  [(if (< (cumulative-return "QQQ" {:window 60}) -10)
                                    [(if (> (rsi "TLT" {:window 20}) (rsi "PSQ" {:window 20}))
                                      [(asset "TQQQ")]
                                      [(asset "PSQ")])]
                                    [(if (> (current-price "TQQQ") (moving-average-price "TQQQ" {:window 20}))
                                      [(if (> (rsi "TLT" {:window 20}) (rsi "PSQ" {:window 20}))
                                        [(asset "TQQQ")]
                                        [(asset "SQQQ")])]
                                      [(if (> (rsi "IEF" {:window 10}) (rsi "PSQ" {:window 20}))
                                        [(asset "SQQQ")]
                                        [(if (> (rsi "TLT" {:window 20}) (rsi "PSQ" {:window 20}))
                                          [(asset "QQQ")]
                                          [(asset "SQQQ")])])])])])])])
                             (group "Bears without the fall test"
                              [(weight-equal
                                [(if (< (rsi "PSQ" {:window 10}) 35)
                                  [(asset "SQQQ")]
                                  [(if (> (current-price "TQQQ") (moving-average-price "TQQQ" {:window 20}))
                                    [(if (> (rsi "TLT" {:window 20}) (rsi "PSQ" {:window 20}))
                                      [(asset "TQQQ")]
                                      [(asset "SQQQ")])]
                                    [(if (> (rsi "TLT" {:window 20}) (rsi "PSQ" {:window 20}))
                                      [(asset "QQQ")]
                                      [(asset "SQQQ")])])])])])])])])])])])])])])])])])])]))
