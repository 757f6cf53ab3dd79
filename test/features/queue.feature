Feature: The queue of a pool
  Who runs and who waits, in the order in which they will start if nobody else comes. A key sees its own tasks and that others are there; an
  operator sees all.

  Background:
    Given the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 1 s         | 100 ms      | 11     |
    And these tasks are accepted, one after the other:
      | task    | by  | priority    |
      | first   | Ben | interactive |
      | nightly | Ana | batch       |
      | second  | Ana | interactive |
      | third   | Ben | interactive |

  Scenario: An operator sees all of them, and whose they are
    Then the operator sees the queue of "north" as:
      | state   | task_id | owner | priority    | queue_position | replica_id |
      | running | first   | ben   | interactive |                | r0         |
      | queued  | second  | ana   | interactive | 0              |            |
      | queued  | third   | ben   | interactive | 1              |            |
      | queued  | nightly | ana   | batch       | 2              |            |

  Scenario: Somebody else's task is a place and nothing more
    When 500 ms pass
    Then Ana sees the queue of "north" as:
      | state   | task_id | owner | priority    | queue_position | age_ms | session_id         | deadline_in_ms |
      | running |         |       | interactive |                | 500    |                    |                |
      | queued  | second  |       | interactive | 0              | 500    | session-of-second  | 599500         |
      | queued  |         |       | interactive | 1              | 500    |                    |                |
      | queued  | nightly |       | batch       | 2              | 500    | session-of-nightly | 599500         |

  Scenario: It moves on
    When 2500 ms pass
    Then Ana sees the queue of "north" as:
      | state   | task_id | queue_position |
      | running | second  |                |
      | queued  |         | 0              |
      | queued  | nightly | 1              |
    When 1 min passes
    And tasks "first", "second", "third" and "nightly" are completed
    Then Ana sees the queue of "north" as:
      | state |

  Scenario: It comes in pages
    When the operator asks for 3 entries of the queue of "north"
    Then it says:
      | pool_id           | north  |
      | slots             | 1      |
      | entries.2.task_id | third  |
      | entries.3         | (none) |
      | next_cursor       | (some) |

  Scenario: There is no queue of a pool that does not exist
    When Ana asks for 3 entries of the queue of "south"
    Then the answer is 404 NOT_FOUND
