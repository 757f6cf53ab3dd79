Feature: Reload a pool with another model
  The new model is loaded beside the old one and proven with a one-token decode; only then new tasks go to it. Tasks of the old model are
  worked off by the old engines. Where anything fails before that, the old model serves on as if nothing had been.

  Rule: Success

    Scenario: New tasks go to the new model while a task of the old one goes on
      Given the pool:
        | pool  | slots | first token | next tokens | tokens | loads in |
        | north | 1     | 1 s         | 1 s         | 5      | 2 s      |
      And Ana has sent task "old"
      And Ana opens the stream of "old"
      When the operator begins to reload pool "north" with "mock:v2" within 1 min
      And 3 s pass
      And the reload is over
      Then the answer is 202
      And it says:
        | pool_id   | north   |
        | model_ref | mock:v2 |
        | ready     | true    |
      When Ana sends task "new" with:
        | model_ref | mock:v2 |
      Then the answer is 202
      When Ana sends task "late" with:
        | model_ref | mock:v1 |
      Then the answer is 404 NOT_FOUND
      When 1 min passes
      Then the stream of "old" ends with "end"
      And tasks "old" and "new" are completed

    Scenario: What waits for the old model is worked off by the old engines
      Given the pool:
        | pool  | slots | first token | tokens |
        | north | 1     | 2 s         | 1      |
      And Ana has sent tasks "running" and "waiting"
      When the operator begins to reload pool "north" with "mock:v2" within 1 min
      And 2 s pass
      And the reload is over
      Then the answer is 202
      When 10 s pass
      Then tasks "running" and "waiting" are completed

    Scenario: What still waits for it at the deadline ends
      Given the pool:
        | pool  | slots | first token | tokens |
        | north | 1     | 4 s         | 1      |
      And Ana has sent tasks "running", "second", "third" and "fourth"
      And Ana opens the stream of "fourth"
      When the operator begins to reload pool "north" with "mock:v2" within 5 s
      And 4 s pass
      And the reload is over
      Then the answer is 202
      When 1 min passes
      Then the stream of "fourth" ends with "error POOL_UNAVAILABLE"
      And its message names "mock:v1"
      And tasks "running" and "second" are completed

    Scenario: With the same model again, what waits goes to the new engines
      Given the pool:
        | pool  | slots | first token | tokens |
        | north | 1     | 10 s        | 1      |
      And Ana has sent tasks "running" and "waiting"
      When the operator begins to reload pool "north" with "mock:v1" within 1 min
      And 10 s pass
      And the reload is over
      Then the answer is 202
      When 1 min passes
      Then tasks "running" and "waiting" are completed

  Rule: Rollback

    Scenario: The new model is not up by the deadline
      Given the pool:
        | pool  | slots | first token | loads in |
        | north | 1     | 10 s        | 20 s     |
      And Ana has sent task "running"
      When the operator begins to reload pool "north" with "mock:v2" within 5 s
      And 5 s pass
      And the reload is over
      Then the answer is 409 CONFLICT
      And its message names "5000 ms"
      And the health of pool "north" says:
        | ready      | true                  |
        | last_error | /mock:v2 failed/      |
      When Ana sends task "next"
      Then the answer is 202
      When 1 min passes
      Then tasks "running" and "next" are completed

    Scenario: The proof is a decode, so an engine that starts and cannot generate is not let in
      Given the pool:
        | pool  | slots | fault      |
        | north | 1     | kind: fail |
      When the operator reloads pool "north" with "mock:v2"
      Then the answer is 409 CONFLICT
      When Ana lists the pools
      Then it says:
        | pools.0.model_ref | mock:v1 |
        | pools.0.ready     | true    |

    Scenario: Only one reload at a time
      Given the pool:
        | pool  | slots | first token | loads in |
        | north | 1     | 10 s        | 20 s     |
      When the operator begins to reload pool "north" with "mock:v2" within 1 min
      And the operator reloads pool "north" with "mock:v3"
      Then the answer is 409 CONFLICT
      And its message names "running"
      When 1 min passes
      And the reload is over
      Then the answer is 202

    Scenario: A reference the driver cannot take is refused
      When the operator reloads pool "mock" with "file:models/tinytales.gguf"
      Then the answer is 400 INVALID_PARAMS
      And its message names "model_ref"

  Rule: Who may, and what

    Scenario: It takes the role control
      When Ana reloads pool "mock" with "mock:v2"
      Then the answer is 403 FORBIDDEN

    Scenario: The pool has to exist
      When the operator reloads pool "nowhere" with "mock:v2"
      Then the answer is 404 NOT_FOUND
