package federation.access_test

import rego.v1

import data.federation.access
