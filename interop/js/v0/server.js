"use strict";
require("../peer/main").server(require("./lib"));
