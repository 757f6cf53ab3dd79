Feature: Which pool a task goes to
  Several pools may serve the same model. A task goes to the one with the earliest predicted start unless its `placement` says otherwise.

  Background:
    Given the pools:
      | pool  | model   | slots | devices | first token | queue |
      | north | mock:v1 | 1     | 0       | 10 s        | 4     |
      | south | mock:v1 | 1     | 1       | 10 s        | 4     |
      | other | mock:v2 | 1     | 2       | 10 s        | 4     |

  Scenario: By itself a task goes where it starts first
    When these tasks are accepted, one after the other:
      | task   |
      | first  |
      | second |
    Then the tasks were told at acceptance:
      | task   | pool_id | queue_position |
      | first  | north   | 0              |
      | second | south   | 0              |

  Scenario Outline: A task asks for a pool
    When Ana sends task "choosy" with:
      | placement | <placement> |
    Then the answer is 202
    And it says:
      | pool_id | <pool> |

    Examples:
      | placement                                         | pool  |
      | { mode: pin, pin_pool_id: south }                 | south |
      | { mode: prefer, prefer_pools: [south, north] }    | south |
      | { mode: auto, avoid_pools: [north] }              | south |
      | { mode: auto, require_device_mask: [1] }          | south |

  Scenario: A pinned task waits for its pool, though another one is free
    Given these tasks are accepted, one after the other:
      | task   | placement                         |
      | first  | { mode: pin, pin_pool_id: north } |
      | second | { mode: pin, pin_pool_id: north } |
    Then task "first" is running
    And task "second" is queued

  Scenario Outline: When the pool asked for takes nothing
    Given the operator drains pool "south" within 1 min
    When Ana sends task "choosy" with:
      | placement | <placement> |
    Then the answer is <status>
    And it says:
      | pool_id | <pool> |

    Examples: A preference may fall back, a pin never does
      | placement                                                      | status | pool  |
      | { mode: prefer, prefer_pools: [south] }                        | 202    | north |
      | { mode: prefer, prefer_pools: [south], allow_fallback: false } | 503    | south |
      | { mode: pin, pin_pool_id: south }                              | 503    | south |

  Scenario Outline: Contradictions are refused
    When Ana sends task "choosy" with:
      | placement | <placement> |
    Then the answer is 400 INVALID_PARAMS
    And its message names "<field>"

    Examples:
      | placement                                               | field         |
      | { mode: pin }                                           | pin_pool_id   |
      | { mode: pin, pin_pool_id: nowhere }                     | pin_pool_id   |
      | { mode: pin, pin_pool_id: other }                       | pin_pool_id   |
      | { mode: prefer }                                        | prefer_pools  |
      | { mode: auto, prefer_pools: [north] }                   | prefer_pools  |
      | { mode: auto, avoid_pools: [north, south] }             | avoid_pools   |
