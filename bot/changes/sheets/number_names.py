"""Names of the number column in other systems' exports, without case, blanks and signs.

Source: what the systems' makers publish.

- Microsoft Teams: ``TelephoneNumber`` of ``Export-CsAcquiredPhoneNumber`` and ``Get-CsPhoneNumberAssignment``, "Phone
  number" in the admin center, ``LineUri`` of users (learn.microsoft.com/powershell/module/microsoftteams)
- Zoom Phone: "Phone Number", ``phone_number``; ``zoomPhoneNumber`` in its attributes (support.zoom.com, KB0070135)
- RingCentral: ``phoneNumber`` of the account's phone numbers, "Direct Number" of users (developers.ringcentral.com)
- Webex Control Hub: "Phone Number", ``phoneNumber``, several as ``phoneNumbers`` (help.webex.com nu0oia0)
- 3CX: "DID", "DID number" of inbound rules; its "Number" is an extension, which no row can use (3cx.com/docs)
- FreePBX: "DID" of Bulk DIDs; Bulk Handler calls it ``extension`` (sangomakb.atlassian.net, PG 41812083)
- Twilio: ``phone_number``, "Phone Number" (twilio.com/docs/phone-numbers); Telnyx: ``phone_number``, "Phone Number"
- Yeastar: "DID Number"; elsewhere TN, DN, DDI, MSISDN, E.164
"""

from __future__ import annotations

from typing import Final

#: Names that always mean the number.
USUAL: Final = frozenset(
    {"number", "numbers", "phone", "phones", "phonenumber", "phonenumbers", "phoneno", "telephone", "telephonenumber"}
    | {
        "telephonenumbers",
        "telephoneno",
        "tel",
        "telno",
        "tn",
        "tns",
        "msisdn",
        "e164",
        "e164number",
        "phonenumbere164",
    }
    | {"did", "dids", "didnumber", "didnumbers", "ddi", "ddinumber", "didddi", "zoomphonenumber"}
)
#: Names that may mean something else. The likeliest one in the sheet counts if no column has a name from :data:`USUAL`.
SELDOM: Final = ("lineuri", "directnumber", "directphonenumber", "directorynumber", "dn", "extension")
