"""Which e-mail domains a user may claim for an organization. Logto itself checks nothing.

Everybody who registers with an address of a claimed domain becomes a member, and the organization sees them. So a user
must not claim `gmail.com`, or the domain of another company.
"""

from __future__ import annotations

import re

from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.oidc.claims import text
from logto_auth.sessions.principal import request_principal

from .errors import DomainNotAllowed, InvalidName

__all__ = ["MAX_DOMAIN_LENGTH", "PUBLIC_MAIL_DOMAINS", "domain_refusal", "is_own_domain", "may_claim", "valid_domain"]

# RFC 1035, section 2.3.4, and RFC 952: labels of letters, digits and hyphens.
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAX_DOMAIN_LENGTH = 253

# Services at which everybody can register an address, or that forward e-mails for everybody.
_PUBLIC = """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com passport.com hotmail.co.uk hotmail.de hotmail.fr
    hotmail.it hotmail.es live.co.uk live.de live.fr live.nl outlook.de outlook.fr outlook.jp outlook.com.br
    yahoo.com yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.com.br yahoo.de yahoo.fr yahoo.es yahoo.it ymail.com
    rocketmail.com aol.com aim.com icloud.com me.com mac.com proton.me protonmail.com pm.me tutanota.com tutanota.de
    tuta.com tuta.io gmx.de gmx.net gmx.at gmx.ch gmx.com web.de freenet.de t-online.de mail.de posteo.de posteo.net
    mailbox.org arcor.de mail.com email.com usa.com zoho.com zohomail.com fastmail.com fastmail.fm hey.com hushmail.com
    yandex.ru yandex.com ya.ru mail.ru bk.ru list.ru inbox.ru internet.ru rambler.ru ukr.net i.ua
    qq.com foxmail.com vip.qq.com 163.com 126.com yeah.net sina.com sina.cn sohu.com aliyun.com 139.com 189.cn wo.cn
    21cn.com tom.com naver.com hanmail.net daum.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com
    orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr libero.it virgilio.it tiscali.it alice.it tin.it
    terra.com.br uol.com.br bol.com.br ig.com.br globo.com wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz
    ziggo.nl kpnmail.nl planet.nl telenet.be skynet.be bluewin.ch telia.com comcast.net verizon.net att.net
    sbcglobal.net bellsouth.net cox.net charter.net btinternet.com virginmedia.com sky.com talktalk.net rogers.com
    shaw.ca bigpond.com optusnet.com.au rediffmail.com mailinator.com guerrillamail.com 10minutemail.com yopmail.com
    tempmail.com trashmail.com sharklasers.com dispostable.com getnada.com maildrop.cc duck.com simplelogin.com
    anonaddy.me mozmail.com privaterelay.appleid.com users.noreply.github.com
"""
PUBLIC_MAIL_DOMAINS = frozenset(_PUBLIC.split())


def is_own_domain(request: HttpRequest, organization_id: str, domain: str) -> bool:
    """Return whether `domain` is that of the user's own verified e-mail address, and no public mail service.

    The default of `LOGTO_ORGANIZATION_DOMAIN_CHECK`. The claims `email` and `email_verified` of the session decide; an
    access token has none.
    """
    claims = request_principal(request).claims
    own = text(claims, "email").rpartition("@")[2].lower()
    return claims.get("email_verified") is True and own == domain and domain not in PUBLIC_MAIL_DOMAINS


def may_claim(request: HttpRequest, organization_id: str, domain: str) -> bool:
    """Return what the function of `LOGTO_ORGANIZATION_DOMAIN_CHECK` returns for a valid domain."""
    check = import_string(conf.organization_domain_check)
    return check(request, organization_id, domain) is True


def domain_refusal(text: str) -> DomainNotAllowed:
    """Return the error for a domain that `may_claim` refuses. With the default function, the user reads the rule."""
    error = DomainNotAllowed(text)
    if import_string(conf.organization_domain_check) is is_own_domain:
        error.visitor_message = _(
            "You can add only the domain of your own verified e-mail address, and no domain of a public mail service."
        )
    return error


def valid_domain(domain: str) -> str:
    """Return a domain in lower-case ASCII (IDNA). Raise InvalidName."""
    try:
        name = domain.strip().removeprefix("@").lower().encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    labels = name.split(".")
    is_valid = len(labels) > 1 and all(map(LABEL.fullmatch, labels)) and not labels[-1].isdecimal()
    if not is_valid or len(name) > MAX_DOMAIN_LENGTH:
        raise InvalidName(
            "The e-mail domain is not valid.",
            field="domain",
            visitor_message=_("Enter a domain, such as example.com."),
        )
    return name
