"""A dump as MediaWiki makes them: nested templates, tables, namespaces."""

import bz2

_SITE = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">
<siteinfo><sitename>Wiki</sitename><namespaces>
<namespace key="0" case="first-letter" />
<namespace key="6" case="first-letter">Datei</namespace>
<namespace key="14" case="first-letter">Kategorie</namespace>
</namespaces></siteinfo>
"""
_PAGE = """<page><title>T{number}</title><ns>{ns}</ns><id>{number}</id>{more}
<revision><id>1</id>
<text bytes="9" xml:space="preserve">{text}</text></revision></page>
"""
_SOURCE = """{{{{Infobox Boot|name={{{{lang|de|{{{{PAGENAME}}}} {number}}}}}
|x=[[a|b]]}}}}
'''Boot {number}''' ist [[Ding|ein ''Ding'']]&lt;ref name="x"&gt;
{{{{cite|a}}}}&lt;/ref&gt; auf
dem [[Fluss]].&lt;!-- nichts --&gt; [[Datei:x.jpg|mini|Ein [[Bild]] davon]]
{{| class="wikitable"
| Zelle || {{{{nested|{{{{deep}}}}}}}}
{{|
| innen
|}}
|}}
== Geschichte ==
* Liste
# Nummer
:; Begriff : Erklärung
Es kostet 3&amp;nbsp;€, siehe [http://x.de hier] und [http://y.de].
&lt;math&gt;x^2&lt;/math&gt;&lt;gallery&gt;
Datei:y.jpg|Text
&lt;/gallery&gt;
[[Kategorie:Boote]] __NOTOC__
{{{{offen
"""
# Of a page of this source, with its number.
SENTENCES = (
    "Boot {number} ist ein Ding auf",
    "dem Fluss.",
    "Es kostet 3 €, siehe hier und .",
)


def write(path, num_articles=60):
    """Writes so many articles, and other pages between them."""
    pages = [_SITE]
    for number in range(num_articles):
        text = _SOURCE.format(number=number)
        pages.append(_PAGE.format(number=number, ns=0, more="", text=text))
        if number % 10 == 0:
            more = '<redirect title="T1" />'
            text = "#REDIRECT [[T1]]"
            pages.append(_PAGE.format(number=1, ns=0, more=more, text=text))
        if number % 20 == 0:
            text = "Ein Text."
            pages.append(_PAGE.format(number=2, ns=10, more="", text=text))
    pages.append("</mediawiki>\n")
    data = "".join(pages).encode()
    half = len(data) // 2
    # In streams, one after the other, as the large dumps are.
    path.write_bytes(bz2.compress(data[:half]) + bz2.compress(data[half:]))
