"use strict";
require("../peer/main").client(require("./lib"));
