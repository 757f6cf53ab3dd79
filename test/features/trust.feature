Feature: Trust in models
  Under the policy `strict` a model is kept only with a valid signature by a signer of the configuration and with the bill of materials
  it names. Under `permissive` the same findings are warnings.

  Background:
    Given the file "tiny.gguf" in the models directory, which reads "weights"
    And the file "sbom.json" in the models directory, which reads "parts"
    And "vendor" is a signer the configuration trusts

  Scenario: Signed and with its bill of materials
    When the operator registers the file "tiny.gguf" as model "tiny" under policy strict, signed by vendor over "its digest", with an SBOM that should read "parts"
    Then the answer is 201
    And in the end model "tiny" says:
      | verification.status   | pass   |
      | verification.warnings | (none) |

  Scenario Outline: <what is wrong>
    When the operator registers the file "tiny.gguf" as model "tiny" under policy strict, signed by <signer> over "<text>", with an SBOM that should read "<sbom>"
    Then the answer is 422 UNTRUSTED_ARTIFACT
    And its message names "<field>"
    And it says:
      | retriable | false |
    When the operator lists the models
    Then it says:
      | models | [] |

    Examples:
      | what is wrong                            | signer   | text         | sbom   | field      |
      | Nobody signed it                         | nobody   | its digest   | parts  | signatures |
      | A stranger signed it                     | stranger | its digest   | parts  | signatures |
      | The signature is over something else     | vendor   | another text | parts  | signatures |
      | There is no bill of materials            | vendor   | its digest   |        | sbom       |
      | The bill of materials is not what it was | vendor   | its digest   | other  | sbom       |

  Scenario: The policy may name the signers that count
    Given "auditor" is a signer the configuration trusts
    When the operator registers the file "tiny.gguf" as model "tiny" with:
      | trust_policy | { mode: strict, signers: [auditor] } |
    Then the answer is 422 UNTRUSTED_ARTIFACT
    And its message names "trust_policy.signers"

  Scenario: Under policy permissive it is kept, with a warning
    When the operator registers the file "tiny.gguf" as model "tiny" with:
      | trust_policy | { mode: permissive } |
    Then the answer is 201
    And in the end model "tiny" says:
      | verification.status     | pass         |
      | verification.warnings.0 | /signatures/ |
