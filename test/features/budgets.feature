Feature: Budgets
  A session or a key may have a budget of tokens, of engine time and of money. Tokens and money are reserved when a task is admitted and
  settled with what it used; engine time is metered while tasks run. The answer and the stream say what is left.

  Scenario: Tokens are reserved at admission and settled at the end
    Given the configuration has:
      """
      sessions: { budgets: { tokens: 100 } }
      """
    And the pool:
      | pool  | slots | first token | tokens |
      | north | 1     | 1 s         | 6      |
    When Ana sends task "first" with:
      | session_id | chat             |
      | prompt     | Once upon a time |
      | max_tokens | 56               |
    Then the answer is 202
    And its header "X-Budget-Tokens-Remaining" is 40
    When Ana sends task "second" with:
      | session_id | chat |
      | max_tokens | 56   |
    Then the answer is 403 BUDGET_EXHAUSTED
    And its message names "tokens budget of the session"
    When 10 s pass
    Then the end event of "first" says:
      | tokens_in  | 4 |
      | tokens_out | 6 |
    When Ana looks at session "chat"
    Then it says:
      | tokens_budget_remaining | 90 |
    When Ana sends task "second" with:
      | session_id | chat |
      | max_tokens | 56   |
    Then the answer is 202

  Scenario: Engine time runs out in the middle of a task
    Given the configuration has:
      """
      sessions: { budgets: { time_ms: 3000 } }
      """
    And the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 1 s         | 1 s         | 60     |
    When Ana sends task "long" with:
      | session_id | chat |
    Then its header "X-Budget-Time-Remaining-Ms" is 3000
    When Ana opens the stream of "long"
    And 2500 ms pass
    And Ana looks at session "chat"
    Then it says:
      | time_budget_remaining_ms | 500 |
    When 10 s pass
    Then the stream of "long" ends with "error BUDGET_EXHAUSTED"
    And task "long" is failed
    When Ana sends task "next" with:
      | session_id | chat |
    Then the answer is 403 BUDGET_EXHAUSTED
    And its message names "time_ms budget of the session"

  Scenario: Waiting in the queue costs no engine time
    Given the configuration has:
      """
      sessions: { budgets: { time_ms: 5000 } }
      """
    And the pool:
      | pool  | slots | first token |
      | north | 1     | 4 s         |
    And these tasks are accepted, one after the other:
      | task    | session_id |
      | running | other      |
      | waiting | chat       |
    When 3 s pass
    And Ana looks at session "chat"
    Then it says:
      | time_budget_remaining_ms | 5000 |
    When 1 min passes
    And task "waiting" is completed
    And Ana looks at session "chat"
    Then it says:
      | time_budget_remaining_ms | 1000 |

  Scenario: Money is counted with the prices of the pool
    Given the pool:
      | pool  | slots | first token | tokens | price of a token |
      | north | 1     | 1 s         | 6      | 0.5              |
    And Ana sets up session "chat" with:
      | budgets.cost | 10 |
    When Ana sends task "first" with:
      | session_id | chat |
      | max_tokens | 12   |
    Then its header "X-Budget-Cost-Remaining" is 4
    When Ana sends task "second" with:
      | session_id | chat |
      | max_tokens | 12   |
    Then the answer is 403 BUDGET_EXHAUSTED
    And its message names "cost budget of the session"
    When 10 s pass
    And task "first" is completed
    And Ana looks at session "chat"
    Then it says:
      | cost_budget_remaining | 7 |

  Scenario: What a task did not use is given back when it is canceled
    Given the pool:
      | pool  | slots | first token |
      | north | 1     | 1 s         |
    And Ana sets up session "chat" with:
      | budgets.tokens | 100 |
    And these tasks are accepted, one after the other:
      | task    | session_id | max_tokens |
      | running | other      | 10         |
      | waiting | chat       | 96         |
    When Ana cancels task "waiting"
    And Ana looks at session "chat"
    Then it says:
      | tokens_budget_remaining | 100 |

  Scenario: The budget of a key spans its sessions, and the tightest one is told
    Given Ana's key is limited to:
      | budgets.tokens | 100 |
    And the pool:
      | pool  | slots | first token |
      | north | 1     | 1 s         |
    And Ana sets up session "small" with:
      | budgets.tokens | 60 |
    When Ana sends task "first" with:
      | session_id | small |
      | max_tokens | 46    |
    Then its header "X-Budget-Tokens-Remaining" is 10
    When Ana sends task "second" with:
      | session_id | another |
      | max_tokens | 56      |
    Then the answer is 403 BUDGET_EXHAUSTED
    And its message names "tokens budget of the key"

  Scenario: The stream tells what is left
    Given the configuration has:
      """
      sessions: { budgets: { tokens: 100 } }
      """
    And the pool:
      | pool  | slots | first token |
      | north | 1     | 1 s         |
    And Ana sends task "first" with:
      | max_tokens | 56 |
    When Ana opens the stream of "first"
    And 10 s pass
    Then the metrics event of "first" says:
      | tokens_budget_remaining | (some) |
    And the stream of "first" ends with "end"

  Scenario: Without a budget nothing is said of one
    When Ana sends task "first"
    Then its header "X-Budget-Tokens-Remaining" is (none)
    And its header "X-Budget-Time-Remaining-Ms" is (none)
    And its header "X-Budget-Cost-Remaining" is (none)
