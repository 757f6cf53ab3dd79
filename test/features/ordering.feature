Feature: The order in which tasks start
  A pool has one queue with two classes. Interactive work goes before batch work, the first to come is the first to go inside a class,
  and at least one dispatch in `batch_every` goes to waiting batch work, so that it never starves.

  Scenario: Interactive before batch, and in order of arrival
    Given the pool:
      | pool  | slots | first token | tokens |
      | north | 1     | 1 s         | 1      |
    And these tasks are accepted, one after the other:
      | task    | priority    |
      | running | batch       |
      | batch1  | batch       |
      | inter1  | interactive |
      | batch2  | batch       |
      | inter2  | interactive |
    When 10 s pass
    Then the tasks start in the order "running, inter1, inter2, batch1, batch2"

  Scenario: Batch work never starves
    Given the pool:
      | pool  | slots | first token | tokens | batch every |
      | north | 1     | 1 s         | 1      | 2           |
    And these tasks are accepted, one after the other:
      | task    | priority    |
      | running | interactive |
      | batch1  | batch       |
      | batch2  | batch       |
      | inter1  | interactive |
      | inter2  | interactive |
      | inter3  | interactive |
    When 10 s pass
    Then the tasks start in the order "running, inter1, batch1, inter2, batch2, inter3"

  Scenario: The position is the number of tasks ahead if nobody else comes
    Given the pool:
      | pool  | slots | first token | tokens |
      | north | 1     | 1 s         | 1      |
    When these tasks are accepted, one after the other:
      | task    | priority    |
      | running | batch       |
      | batch1  | batch       |
      | inter1  | interactive |
      | batch2  | batch       |
      | inter2  | interactive |
    Then the tasks were told at acceptance:
      | task    | queue_position |
      | running | 0              |
      | batch1  | 0              |
      | inter1  | 0              |
      | batch2  | 2              |
      | inter2  | 1              |
    When Ana looks at task "batch1"
    Then it says:
      | queue_position | 2 |

  Scenario: A pool runs as many tasks at once as its replicas have slots
    Given the pool:
      | pool  | replicas | slots | first token |
      | north | 2        | 2     | 1 s         |
    When Ana has sent tasks "a", "b", "c", "d" and "e"
    Then tasks "a", "b", "c" and "d" are running
    And task "e" is queued
    And the health of pool "north" says:
      | metrics.slots           | 4 |
      | metrics.slots_busy      | 4 |
      | metrics.queue_depth     | 1 |
      | replicas.0.slots_busy   | 2 |
      | replicas.1.slots_busy   | 2 |
