Feature: Deadlines and watchdogs
  A task says by when it has to be done. One that cannot start in time is refused; one that waits until its deadline expires; one that
  runs too long, or whose engine goes silent, is aborted.

  Scenario: A deadline that cannot be met is refused at once
    Given the pool:
      | pool  | slots | first token |
      | north | 1     | 10 s        |
    And Ana has sent tasks "a", "b", "c", "d" and "e"
    And 1 min passes
    And Ana has sent task "running"
    When Ana sends task "hasty" with:
      | deadline_ms | 10 |
    Then the answer is 400 DEADLINE_UNMET
    And its message names "deadline_ms"
    And it says:
      | retriable | false |

  Scenario: Nothing is refused for its deadline before a few tasks have shown how long they take
    Given the pool:
      | pool  | slots | first token |
      | north | 1     | 10 s        |
    And Ana has sent task "running"
    When Ana sends task "hasty" with:
      | deadline_ms | 10 |
    Then the answer is 202

  Scenario: A task expires in the queue and never starts
    Given the pool:
      | pool  | slots | first token |
      | north | 1     | 1 min       |
    And Ana has sent task "running"
    And Ana sends task "patient" with:
      | deadline_ms | 5000 |
    And the answer is 202
    When 5 s pass
    Then the stream of "patient" has the events "started, metrics, error"
    And the error event of "patient" says:
      | code      | DEADLINE_UNMET |
      | retriable | true           |
    When Ana looks at task "patient"
    Then it says:
      | state      | failed |
      | started_at | (none) |
    And the metrics show:
      | series               | labels          | value |
      | tasks_canceled_total | reason=deadline | 1     |

  Scenario: A task that runs too long is aborted
    Given the pool:
      | pool  | slots | first token | next tokens | tokens | longest run |
      | north | 1     | 1 s         | 1 s         | 60     | 3500 ms     |
    And Ana has sent tasks "long" and "next"
    And Ana opens the stream of "long"
    When 4 s pass
    Then the stream of "long" ends with "error DECODE_TIMEOUT"
    And its message names "wall_ms"
    And task "next" is running

  Scenario: An engine that goes silent is aborted
    Given the pool:
      | pool  | slots | longest silence | fault                                |
      | north | 1     | 2 s             | kind: hang, after_tokens: 1, every: 1 |
    And Ana has sent task "stuck"
    And Ana opens the stream of "stuck"
    When 3 s pass
    Then the stream of "stuck" ends with "error DECODE_TIMEOUT"
    And its message names "idle_ms"
    And the health of pool "north" says:
      | ready                 | true |
      | replicas.0.slots_busy | 0    |
