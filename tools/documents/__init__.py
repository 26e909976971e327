"""Text, tables and pictures out of documents: PDF, Word, PowerPoint, Excel, web pages. With the packages of the extra `media`."""
