Feature: What one key may ask for
  So that one of many agents cannot crowd out the others, a key may have a rate, a number of waiting tasks and a highest priority.

  Background:
    Given the pool:
      | pool  | slots | first token |
      | north | 1     | 10 s        |

  Scenario: So many tasks a minute
    Given Ana's key is limited to:
      | requests_per_minute | 2 |
    And Ana has sent tasks "first" and "second"
    When Ana sends task "third"
    Then the answer is 429 ADMISSION_REJECT
    And it says:
      | policy_label   | rate-limit |
      | retry_after_ms | 30000      |
    And its header "Retry-After" is 30
    When Ben sends task "bens"
    Then the answer is 202
    When 30 s pass
    And Ana sends task "third"
    Then the answer is 202

  Scenario: So many tasks that wait at once
    Given Ana's key is limited to:
      | queued_tasks | 1 |
    And Ana has sent tasks "running" and "waiting"
    When Ana sends task "one-more"
    Then the answer is 429 ADMISSION_REJECT
    And it says:
      | policy_label | rate-limit |
    And its header "Retry-After" is > 0
    When Ana cancels task "running"
    And Ana sends task "one-more"
    Then the answer is 202

  Scenario: Only batch work
    Given Ana's key is limited to:
      | top_priority | batch |
    When Ana sends task "pushy" with:
      | priority | interactive |
    Then the answer is 403 FORBIDDEN
    And its message names "priority"
    When Ana sends task "modest" with:
      | priority | batch |
    Then the answer is 202
