Feature: Names of models
  A client asks for a model by a name. The operator says which pools serve it, which ones step in where those cannot, and what a task of it
  has by default; so what runs behind the name may change, and no client has to.

  Background:
    Given the pools:
      | pool  | model      | slots | first token | queue |
      | rack  | mock:large | 1     | 10 s        | 1     |
      | box   | mock:small | 1     | 10 s        | 1     |
      | cloud | mock:cloud | 4     | 10 s        | 64    |
    And the configuration has:
      """
      models:
        - name: coder
          aliases: [gpt-4o-mini, 'claude-*']
          pools: [rack, box]
          fallback: [cloud]
          defaults: { max_tokens: 100, priority: batch }
        - { name: cheap, pools: [box] }
      """

  Scenario Outline: A name, an alias and what fits a wildcard are the same model
    When Ana sends nothing but:
      | model_ref | <name> |
      | prompt    | Hello  |
    Then the answer is 202
    And it says:
      | pool_id | rack |
    When Ana looks at that task
    Then it says:
      | model_ref | <name> |
      | priority  | batch  |

    Examples:
      | name          |
      | coder         |
      | gpt-4o-mini   |
      | claude-opus-4 |

  Scenario: A task goes where it starts first, and to the fallback where there is no room
    When these tasks are accepted, one after the other:
      | task | model_ref |
      | a    | coder     |
      | b    | coder     |
      | c    | coder     |
      | d    | coder     |
      | e    | coder     |
    Then the tasks were told at acceptance:
      | task | pool_id |
      | a    | rack    |
      | b    | box     |
      | e    | cloud   |

  Scenario: And where no pool of the name is up
    Given the operator drains pool "rack" within 1 min
    And the operator drains pool "box" within 1 min
    When Ana sends task "away" with:
      | model_ref | coder |
    Then the answer is 202
    And it says:
      | pool_id | cloud |

  Scenario: A name that is none
    When Ana sends task "lost" with:
      | model_ref | codr |
    Then the answer is 404 NOT_FOUND
    And its message names "did you mean coder?"

  Scenario: A key may be limited to models
    Given Ana's key is limited to:
      | models | [cheap] |
    When Ana sends task "dear" with:
      | model_ref | coder |
    Then the answer is 403 FORBIDDEN
    And its message names "coder"
    When Ana sends nothing but:
      | prompt | Hello |
    Then the answer is 202
    And it says:
      | pool_id | box |
    When Ana asks what can be asked
    Then it says:
      | models.0.name     | cheap  |
      | models.0.ready    | true   |
      | models.1          | (none) |
      | engines.0.pool_id | box    |
      | engines.1         | (none) |
