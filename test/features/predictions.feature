Feature: What a client is told about its start
  The 202 and the `started` event say how many tasks are ahead and when the task is predicted to start; `metrics` events say it anew once
  a second while somebody reads. The estimator learns from the tasks that ended.

  Background:
    Given the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 400 ms      | 100 ms      | 6      |

  Scenario: The started event repeats what the 202 said
    Given Ana has sent tasks "running", "second" and "third"
    When 1 min passes
    Then the started event of "second" repeats what the answer said
    And the started event of "third" repeats what the answer said

  Scenario: Under load each newcomer is told a later start
    When Ana has sent tasks "running", "second", "third" and "fourth"
    Then the tasks were told at acceptance:
      | task    | queue_position |
      | running | 0              |
      | second  | 0              |
      | third   | 1              |
      | fourth  | 2              |
    And predicted_start_ms grows from task to task

  Scenario: A reader in the queue sees itself come forward
    Given Ana has sent tasks "running", "second", "third" and "fourth"
    When Ana opens the stream of "fourth"
    And 1 min passes
    Then the metrics events of "fourth" show phase "queued, queued, prefilling, decoding"
    And the metrics events of "fourth" show queue_position "1, 0, 0, 0"

  Scenario: Predictions come from the tasks that ended before
    Given Ana has sent tasks "a", "b" and "c"
    And 1 min passes
    And tasks "a", "b" and "c" are completed
    When these tasks are accepted, one after the other:
      | task    |
      | running |
      | next    |
    Then it says:
      | predicted_start_ms | >= 900  |
      | predicted_start_ms | <= 1000 |

  Scenario Outline: The chance to be on time
    Given Ana has sent tasks "a", "b" and "c"
    And 1 min passes
    And tasks "a", "b" and "c" are completed
    And Ana has sent task "running"
    When Ana sends task "next" with:
      | deadline_ms | <deadline> |
    And Ana opens the stream of "next"
    And 1 min passes
    Then the metrics event of "next" says:
      | on_time_probability | <chance> |

    Examples:
      | deadline | chance  |
      | 60000    | >= 0.99 |
      | 1200     | <= 0.1  |
