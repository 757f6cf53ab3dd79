Feature: Security
  Who calls needs a key with the right role and sees only what is its own. Without configured keys the development key works, for
  requests from this machine only.

  Rule: A request needs a key, and the key a role

    Scenario Outline: With <header>
      When somebody requests "<request>" with:
        | <header> | <value> |
      Then the answer is <status>

      Examples:
        | request                     | header          | value                             | status |
        | GET /v1/pools               | X-Nothing       | nothing                           | 401    |
        | GET /v1/pools               | X-API-Key       | a guess                           | 403    |
        | GET /v1/pools               | Authorization   | Bearer a-guess                    | 403    |
        | GET /v1/pools               | X-API-Key       | the-key-of-ana                    | 200    |
        | GET /v1/pools               | Authorization   | Bearer the-key-of-ana             | 200    |
        | GET /v1/pools?key=the-key-of-ana | X-Nothing  | nothing                           | 401    |
        | POST /v1/pools/mock/resume  | X-API-Key       | the-key-of-ana                    | 403    |
        | POST /v1/pools/mock/resume  | X-API-Key       | the-key-of-the-operator           | 202    |

    Scenario: Without a key the refusal says how to send one
      When somebody requests "GET /v1/pools"
      Then the answer is 401 UNAUTHENTICATED
      And its message names "X-API-Key"

    Scenario: The refusal names the missing role
      When Ana resumes pool "mock"
      Then the answer is 403 FORBIDDEN
      And its message names "control"

    Scenario Outline: <page> carries no user data and needs no key
      When somebody requests "GET <page>"
      Then the answer is 200

      Examples:
        | page     |
        | /healthz |
        | /readyz  |
        | /metrics |

  Rule: A key sees what is its own, and the role control sees all

    Background:
      Given the pool:
        | pool  | slots | first token |
        | north | 1     | 10 s        |
      And Ana sends task "anas" with:
        | session_id | chat |

    Scenario Outline: <request> by another key is as if there was nothing
      When Ben requests "<request>"
      Then the answer is 404 NOT_FOUND
      And task "anas" is running

      Examples:
        | request                    |
        | GET /v1/tasks/anas         |
        | GET /v1/tasks/anas/stream  |
        | POST /v1/tasks/anas/cancel |
        | GET /v1/sessions/chat      |
        | DELETE /v1/sessions/chat   |

    Scenario: Two keys may use the same id
      When Ben sends task "anas"
      Then the answer is 202
      And it says:
        | queue_position | 0 |

    Scenario: Lists show one's own
      When Ben lists the tasks
      Then it says:
        | tasks | [] |
      When the operator lists the tasks
      Then it says:
        | tasks.0.task_id | anas |

    Scenario: The operator may look and cancel, and says whose it is
      When the operator looks at session "chat"
      Then the answer is 404 NOT_FOUND
      When the operator requests "GET /v1/sessions/chat?owner=ana"
      Then the answer is 200
      When the operator requests "POST /v1/tasks/anas/cancel?owner=ana"
      Then the answer is 204
      And task "anas" is canceled

    Scenario: An artifact of another key does not exist
      When Ana stores the artifact:
        | kind    | plan   |
        | content | 1. run |
      Then the answer is 201
      When Ben reads that artifact
      Then the answer is 404 NOT_FOUND

  Rule: The development key works from this machine only

    Background:
      Given the configuration has:
        """
        auth: { keys: [] }
        """

    Scenario: From this machine
      When somebody requests "GET /v1/pools" with:
        | X-API-Key | valid |
      Then the answer is 200

    Scenario Outline: <why>
      When somebody requests "GET /v1/pools" with:
        | X-API-Key | valid   |
        | <header>  | <value> |
      Then the answer is 403 FORBIDDEN
      And its message names "ORCHD_API_KEYS"

      Examples:
        | header          | value              | why                                      |
        | Host            | evil.example       | A name that was made to resolve to here  |
        | Origin          | http://evil.example | A page of another origin                |
        | X-Forwarded-For | 203.0.113.7        | Through a proxy                          |
        | Forwarded       | for=203.0.113.7    | Through a proxy that says so the new way |
        | Via             | 1.1 proxy          | Through a gateway                        |

    Scenario: Any other key is wrong
      When somebody requests "GET /v1/pools" with:
        | X-API-Key | invalid |
      Then the answer is 403 FORBIDDEN

  Rule: Pages of other origins may call only where they are listed

    Scenario: None is listed by default
      When Ana requests "GET /v1/pools" with:
        | Origin | https://ui.example |
      Then its header "Access-Control-Allow-Origin" is (none)

    Scenario Outline: <origin> where https://ui.example is listed
      Given the configuration has:
        """
        cors: { origins: ["https://ui.example"] }
        """
      When Ana requests "GET /v1/pools" with:
        | Origin | <origin> |
      Then its header "Access-Control-Allow-Origin" is <allowed>

      Examples:
        | origin               | allowed            |
        | https://ui.example   | https://ui.example |
        | https://evil.example | (none)             |

  Rule: Keys and prompts are in no log and no error

    Scenario: After a task, a refusal and a defect
      Given a defect in the daemon that throws "boom"
      When Ana sends task "private" with:
        | prompt | my innermost thoughts |
      And Ana sends task "odd" with:
        | prompt     | my innermost thoughts |
        | max_tokens | 0                     |
      Then it does not contain "innermost"
      When Ana lists the pools
      And somebody reads the daemon's log
      Then it does not contain "innermost"
      And it does not contain Ana's key
