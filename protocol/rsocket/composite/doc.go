// Package composite reads and writes composite metadata, several pieces of
// metadata in one payload, each with its MIME type, and the pieces that the
// specification's extensions define:
//
//   - [Entry]: any piece ("Composite Metadata"); [Append], [All].
//   - the tags that say what a request is for ("Routing"); [AppendRoute],
//     [AppendTags], [Route], [Tags].
//   - [Auth]: credentials ("Authentication"); [AppendSimple], [AppendBearer],
//     [AppendAuth], [ParseAuth].
//   - the MIME types of one stream's data ("Stream Data MIME Types");
//     [AppendDataMIME], [AppendAcceptedMIMEs], [DataMIME], [AcceptedMIMEs].
//
// Names that the extension "Well-known MIME Types" lists travel as one byte; [ID]
// and [Name] are its table.
//
// What is read is a view of the bytes that were given, and a custom name the
// only thing that is copied; what is malformed gets an error that says at which
// byte. Nothing is kept, there is no I/O, and nothing is affected by concurrent
// use.
package composite
