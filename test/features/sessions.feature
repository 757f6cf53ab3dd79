Feature: Sessions
  Consecutive tasks of one conversation share a session. It is made by its first task or set up beforehand, belongs to the key that made
  it, lives for a while, and allows a number of turns.

  Background:
    Given the configuration has:
      """
      sessions: { ttl_ms: 600000, max_turns: 2 }
      """
    And the pool:
      | pool  | slots | first token |
      | north | 1     | 1 s         |

  Scenario: The first task makes the session, and each task that runs takes a turn
    Given these tasks are accepted, one after the other:
      | task   | session_id |
      | first  | chat       |
      | second | chat       |
    When Ana looks at session "chat"
    Then it says:
      | turns            | 1      |
      | ttl_ms_remaining | 600000 |
      | kv_warmth        | false  |
    When 10 s pass
    And Ana looks at session "chat"
    Then it says:
      | turns            | 2      |
      | ttl_ms_remaining | 590000 |

  Scenario: No turn is left, also where the tasks still wait for theirs
    Given these tasks are accepted, one after the other:
      | task   | session_id |
      | first  | chat       |
      | second | chat       |
    When Ana sends task "third" with:
      | session_id | chat |
    Then the answer is 403 BUDGET_EXHAUSTED
    And its message names "turns"
    When 1 min passes
    And Ana sends task "third" with:
      | session_id | chat |
    Then the answer is 403 BUDGET_EXHAUSTED

  Scenario: A session that has expired is gone, and the next task begins a new one
    Given these tasks are accepted, one after the other:
      | task   | session_id |
      | first  | chat       |
      | second | chat       |
    When 10 min pass
    And Ana looks at session "chat"
    Then the answer is 404 NOT_FOUND
    When Ana sends task "third" with:
      | session_id | chat |
    Then the answer is 202
    When Ana looks at session "chat"
    Then it says:
      | turns | 1 |

  Scenario: A session may be set up before its first task, with a shorter life
    When Ana sets up session "chat" with:
      | ttl_ms | 60000 |
    Then the answer is 200
    And it says:
      | turns            | 0     |
      | ttl_ms_remaining | 60000 |
    When 1 min passes
    And Ana looks at session "chat"
    Then the answer is 404

  Scenario: It cannot be given more than the configuration allows
    When Ana sets up session "chat" with:
      | ttl_ms | 600001 |
    Then the answer is 400 INVALID_PARAMS
    And its message names "ttl_ms"

  Scenario: A deleted session takes no more tasks, and its running ones finish
    Given Ana sends task "first" with:
      | session_id | chat |
    When Ana deletes session "chat"
    Then the answer is 204
    When Ana looks at session "chat"
    Then the answer is 404 NOT_FOUND
    When 10 s pass
    Then task "first" is completed
    When Ana looks at session "chat"
    Then the answer is 404 NOT_FOUND

  Scenario: Two keys may use the same name without meeting
    Given these tasks are accepted, one after the other:
      | task | by  | session_id |
      | anas | Ana | chat       |
      | bens | Ben | talk       |
    When Ben looks at session "chat"
    Then the answer is 404 NOT_FOUND
    When Ben sends task "bens-second" with:
      | session_id | chat |
    And Ben looks at session "chat"
    Then it says:
      | turns | 0 |
    When Ana looks at session "chat"
    Then it says:
      | turns | 1 |
